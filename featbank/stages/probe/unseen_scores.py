"""Scores of samples that their probe has not seen: thresholds and temperature are fitted on them.

A probe that is fitted again on train and validation scores otherwise than that of train alone, so
that thresholds of the latter do not fit the former. Scores of held-out folds of all that it is
fitted on come from probes nearly as large, and from more samples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from featbank.probes.fitting.sweep import fitted, predict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.probes import ProbeSpec
    from featbank.probes.fitting.sweep import Labelled

# Five or ten serve alike (Breiman and Spector 1992, doi:10.2307/1403680); five cost half.
FOLDS = 5


class Unseen(NamedTuple):
    """Samples with scores of probes that were not fitted on them.

    Attributes:
        truth: (n,) class indices, or (n, K) 0 and 1.
        scores: (n, K) probabilities.
        split: Splits that the samples are of: ``val``, ``train`` or ``train+val``.
        n_train: Samples that their probes were fitted on; of folds, all less one fold.
        unlearned: Of several labels, those that the probe of a fold had no positive of: its scores
            of them say nothing.
    """

    truth: Array
    scores: Array
    split: str
    n_train: int
    unlearned: frozenset[int] = frozenset()

    @property
    def in_words(self) -> str:
        """The splits, in words."""
        return self.split.replace("+", " and ").replace("val", "validation")


def unseen_scores(
    spec: ProbeSpec,
    data: Labelled,
    params: Mapping[str, Any],
    *,
    groups: Array | None,
    seed: int,
    split: str,
) -> Unseen | None:
    """Scores of every sample by a probe of the other folds.

    Where all samples of a class lie in one fold, as those of one group, the probe of the others has
    never seen it: such samples are left out, and such labels told.

    Args:
        spec: The probe.
        data: All that the scored probe is fitted on.
        params: Its parameters.
        groups: (N,) group of each sample, which no two folds share; None where there is none.
        seed: Of the folds and the fits.
        split: Splits that the samples are of, joined by ``+``.

    Returns:
        None where folds cannot stand for the whole: fewer than two units, fewer samples than
        neighbours, one class in all but a fold, or a fit that runs off to infinity.
    """
    fold = fold_numbers(data.labels, groups, seed=seed)
    if not fold.max(initial=0):
        return None
    scores = np.zeros((len(fold), data.n_classes))
    unlearned: set[int] = set()
    is_known = np.ones(len(fold), dtype=bool)
    for number in range(fold.max() + 1):
        rest, held = fold != number, fold == number
        part = replace(data, features=data.features[rest], labels=data.labels[rest])
        if params.get("k", 0) > rest.sum() or _is_of_one_class(part):
            return None
        (classifier,) = fitted(spec, [(params, seed)], part)
        scores[held] = predict(classifier, data.features[held], part)
        if data.is_multilabel:
            unlearned |= set(np.flatnonzero(~part.labels.any(axis=0)).tolist())
        else:
            is_known[held] = np.isin(data.labels[held], part.labels)
    if not (is_known.any() and np.isfinite(scores).all()):
        return None
    n_train = len(fold) - int(np.bincount(fold).max())
    labels, scores = data.labels[is_known], scores[is_known]
    return Unseen(labels, scores, split, n_train, frozenset(unlearned))


def _is_of_one_class(data: Labelled) -> bool:
    return not data.is_multilabel and bool((data.labels == data.labels[0]).all())


def fold_numbers(labels: Array, groups: Array | None, *, seed: int) -> NDArray[np.intp]:
    """(N,) fold of each sample, whole groups in one, groups of a class spread evenly.

    Groups are mixed, ordered by the rarest class that they hold, and dealt out one by one, large
    and small alike.

    Args:
        labels: (N,) class indices, or (N, K) 0 and 1.
        groups: (N,) group of each sample; None where each stands for itself.
        seed: Of the mixing.

    Example:
        >>> fold_numbers(np.array([0] * 5 + [1] * 5), None, seed=0).reshape(2, 5).sum(axis=1)
        array([10, 10])
    """
    n = len(labels)
    unit = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    units = int(unit.max(initial=-1)) + 1
    rarity = np.full(units, np.iinfo(np.intp).max)
    np.minimum.at(rarity, unit, _rarity(labels))
    mixed = np.random.default_rng(seed).permutation(units)
    order = mixed[np.argsort(rarity[mixed], kind="stable")]
    fold = np.empty(units, dtype=np.intp)
    fold[order] = np.arange(units) % FOLDS
    return fold[unit]


def _rarity(labels: Array) -> NDArray[np.intp]:
    """(N,) place of each sample's rarest class among the classes, the rarest first."""
    if labels.ndim == 1:
        counts = np.bincount(labels)
        of_label: NDArray[np.intp] = _places(counts)[labels]
        return of_label
    place = _places(labels.sum(axis=0))
    rarest: NDArray[np.intp] = np.where(labels == 1, place, labels.shape[1]).min(axis=1)
    return rarest


def _places(counts: Array) -> NDArray[np.intp]:
    """(K,) place of each class among the classes, the rarest first."""
    place = np.empty(len(counts), dtype=np.intp)
    place[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    return place
