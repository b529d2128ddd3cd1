"""Made test sets whose samples stand in groups, and the truth that a fixed probe has on new groups.

A group draws its own share right (or prevalence) from a beta distribution of mean p and variance
icc p (1 - p), so that icc is the correlation of two of its samples. Group sizes are 50, or
log-normal about 50 with sigma 0.9, among which the largest of 40 is about seven times the median.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

MEAN_SIZE, SIZE_SIGMA = 50, 0.9
# Classes of the single-label sets: the first is about three times as frequent as the last; a group
# holds few of them (gamma shape 0.5). Labels of the others have these prevalences.
CLASSES, SHAPE, PREVALENCES = 8, 0.5, (0.5, 0.3, 0.2, 0.1, 0.05)
# Groups that hold a rare class, on average, and how frequent a rare label is in them.
HOLDING, RARE = 6, 0.2


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is drawn.

    Attributes:
        groups: G groups.
        p: Share right; for rankings, the macro average precision.
        icc: Correlation of two samples of a group.
        is_equal: Whether groups are of equal size.
        few: Whether two of the classes, or one label, are in about six groups only.
    """

    groups: int
    p: float
    icc: float
    is_equal: bool
    few: bool = False


def group_sizes(rng: Any, repeats: int, groups: int, is_equal: bool) -> Any:
    """(R, G) samples of each group."""
    if is_equal:
        return np.full((repeats, groups), MEAN_SIZE)
    logs = rng.normal(-(SIZE_SIGMA**2) / 2, SIZE_SIGMA, (repeats, groups))
    return np.maximum(1, np.round(MEAN_SIZE * np.exp(logs))).astype(int)


def group_shares(rng: Any, p: float, icc: float, shape: tuple[int, ...]) -> Any:
    """Shares of this shape, of mean p and variance icc p (1 - p)."""
    if icc == 0 or p in (0, 1):
        return np.full(shape, p)
    sum_of_both = (1 - icc) / icc
    return rng.beta(p * sum_of_both, (1 - p) * sum_of_both, shape)


def accuracy_draw(
    rng: Any, *, repeats: int, groups: int, p: float, icc: float, is_equal: bool
) -> Any:
    """Right ones and samples, both (R, G)."""
    sizes = group_sizes(rng, repeats, groups, is_equal)
    return rng.binomial(sizes, group_shares(rng, p, icc, sizes.shape)), sizes


def accuracy_left_out(right: Any, sizes: Any) -> Any:
    """Accuracies (R,), and (G, R) without each group."""
    hits, n = right.sum(axis=1), sizes.sum(axis=1)
    return hits / n, ((hits[:, None] - right) / (n[:, None] - sizes)).T


def counts_draw(rng: Any, repeats: int, cell: Cell) -> Any:
    """True positives, false positives and false negatives (3, R, G, K) of groups by class.

    A group has one share right for all its classes; what is wrong is said to be any other class.
    """
    sizes = group_sizes(rng, repeats, cell.groups, cell.is_equal)
    of_class = rng.multinomial(sizes, _compositions(rng, sizes.shape, cell.groups, cell.few))
    right = group_shares(rng, cell.p, cell.icc, sizes.shape)[..., None]
    tp = rng.binomial(of_class, np.broadcast_to(right, of_class.shape))
    fn = of_class - tp
    fp = np.zeros_like(tp)
    for k in range(CLASSES):
        others = np.full(CLASSES, 1 / (CLASSES - 1))
        others[k] = 0
        fp += rng.multinomial(fn[..., k], others)
    return np.stack([tp, fp, fn])


def macro_f1(counts: Any) -> Any:
    """Macro F1 (...) of counts (3, ..., K), absent classes left out."""
    tp, fp, fn = counts
    is_held = tp + fn > 0
    values = np.where(is_held, 2 * tp / np.where(is_held, 2 * tp + fp + fn, 1), 0)
    return values.sum(axis=-1) / is_held.sum(axis=-1)


def macro_f1_truth(cell: Cell) -> float:
    """Macro F1 on endless new groups."""
    share = _class_shares(cell.groups, cell.few)
    wrong = share * (1 - cell.p)
    said = (wrong.sum() - wrong) / (CLASSES - 1)
    return float(macro_f1(np.stack([share * cell.p, said, wrong])))


def ranking_draw(rng: Any, cell: Cell, distance: float) -> Any:
    """Truth (N, L), scores (N, L) and groups (N,) of one set.

    Scores are normal of variance 1, ``distance`` higher for positives; a share icc of the variance
    is the group's own for each label.
    """
    sizes = group_sizes(rng, 1, cell.groups, cell.is_equal)[0]
    codes = np.repeat(np.arange(cell.groups), sizes)
    prevalences, shares = _prevalences(cell)
    columns = [group_shares(rng, p, cell.icc, (cell.groups,)) for p in prevalences]
    held = rng.uniform(size=(cell.groups, len(shares))) < shares
    chance = (np.stack(columns, axis=1) * held)[codes]
    truth = rng.uniform(size=chance.shape) < chance
    own = rng.normal(size=held.shape)[codes]
    noise = rng.normal(size=chance.shape)
    scores = distance * truth + np.sqrt(cell.icc) * own + np.sqrt(1 - cell.icc) * noise
    return truth.astype(np.int8), scores, codes


def distance_of(cell: Cell) -> float:
    """How far apart scores are where macro average precision on endless new groups is p."""
    from scipy.optimize import brentq

    marginal = [p * share for p, share in zip(*_prevalences(cell), strict=True)]

    def off(distance: float) -> float:
        return float(np.mean([_endless_precision(distance, p) for p in marginal])) - cell.p

    return float(brentq(off, 0, 10))


def _endless_precision(distance: float, prevalence: float) -> float:
    """Average precision of endless normal scores, by the trapezoidal rule."""
    from scipy.stats import norm

    cuts = np.linspace(-8, 18, 6001)
    hits, false = norm.sf(cuts - distance) * prevalence, norm.sf(cuts) * (1 - prevalence)
    precision = hits / np.maximum(hits + false, 1e-300)
    return float(np.trapezoid(precision * norm.pdf(cuts - distance), cuts))


def _prevalences(cell: Cell) -> tuple[list[float], list[float]]:
    """Prevalence of each label in groups that hold it, and the share of groups that do."""
    if not cell.few:
        return list(PREVALENCES), [1.0] * len(PREVALENCES)
    shares = [1.0] * (len(PREVALENCES) - 1) + [min(1.0, HOLDING / cell.groups)]
    return [*PREVALENCES[:-1], RARE], shares


def _compositions(rng: Any, shape: tuple[int, ...], groups: int, few: bool) -> Any:
    """Shares (*shape, K) of the classes in each group."""
    parts = rng.gamma(SHAPE, size=(*shape, CLASSES)) * np.linspace(1, 0.3, CLASSES)
    if few:
        holds = np.append(np.ones(CLASSES - 2), np.full(2, min(1.0, HOLDING / groups)))
        parts = parts * (rng.uniform(size=parts.shape) < holds) + 1e-12
    return parts / parts.sum(axis=-1, keepdims=True)


@cache
def _class_shares(groups: int, few: bool) -> Any:
    rng = np.random.default_rng(99)
    return _compositions(rng, (1_000_000,), groups, few).mean(axis=0)
