"""Choose a probe's parameters: fit each candidate on train, keep the best on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import ProbeError
from featbank.image import Array

if TYPE_CHECKING:
    from featbank.probes.probe import ProbeSpec

Params = Mapping[str, Any]
Scorer = Callable[[Array, Array], float]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Features with their labels.

    Attributes:
        features: (N, D).
        labels: (N,) class indices in [0, K).
        n_classes: K of the label set, absent classes included.
    """

    features: Array
    labels: Array
    n_classes: int


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a sweep chose.

    Attributes:
        params: All parameters of the best candidate, defaults included.
        candidates: Parameters of each candidate, in the order they were tried.
        scores: Validation score of each candidate.
    """

    params: Params
    candidates: tuple[Params, ...]
    scores: tuple[float, ...]


def choose(
    spec: ProbeSpec,
    *,
    fit_data: Labelled,
    score_data: Labelled,
    params: Params,
    seed: int,
    scorer: Scorer,
    progress: Progress | None = None,
) -> Choice:
    """Try every candidate of a probe's grid and keep the best, the simplest of equals.

    Args:
        spec: The probe.
        fit_data: Samples to fit on.
        score_data: Samples to score on, of the same K.
        params: Parameters that the user fixed; they win over defaults and grid.
        seed: Seed of every fit.
        scorer: Maps truth (N,) and probabilities (N, K) over all K classes to a score; greater is
            better, NaN never wins.
        progress: Called after each fit with how many are done and how many there are.

    Raises:
        ProbeError: No candidate has a score.
    """
    tried = candidates(spec, params)
    scores: list[float] = []
    for done, candidate in enumerate(tried, start=1):
        classifier = spec.build(candidate, seed).fit(fit_data.features, fit_data.labels)
        probabilities = classifier.predict_proba(score_data.features)
        aligned = align_scores(probabilities, classifier.classes_, score_data.n_classes)
        scores.append(float(scorer(score_data.labels, aligned)))
        if progress:
            progress(done, len(tried))
    best = tried[_first_best(scores, spec.name)]
    return Choice(params=best, candidates=tried, scores=tuple(scores))


def candidates(spec: ProbeSpec, params: Params) -> tuple[Params, ...]:
    """Whole parameter sets to try, simplest first: defaults, then the grid, then what is fixed.

    A parameter that the user fixed and the grid sweeps leaves one candidate, not equal ones.
    """
    kept: list[Params] = []
    for member in spec.grid:
        candidate = {**spec.defaults, **member, **params}
        if candidate not in kept:
            kept.append(candidate)
    return tuple(kept)


def align_scores(probabilities: Array, classes: Array, n_classes: int) -> Array:
    """Spread the columns of a classifier over all classes.

    Args:
        probabilities: (N, M), one column a class that the classifier saw.
        classes: (M,) class indices of the columns, in [0, K).
        n_classes: K.

    Returns:
        (N, K) probabilities; 0 for classes that the classifier never saw.
    """
    aligned = np.zeros((len(probabilities), n_classes), dtype=probabilities.dtype)
    aligned[:, classes] = probabilities
    return aligned


def _first_best(scores: list[float], probe: str) -> int:
    if np.isnan(scores).all():
        raise ProbeError(
            f"probe '{probe}'",
            "its validation score is undefined for every candidate",
            "validation samples of some class",
            "Choose a split scheme whose validation split has labels.",
        )
    return int(np.nanargmax(scores))
