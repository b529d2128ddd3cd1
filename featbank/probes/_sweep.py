"""Choose a probe's parameters: fit each candidate on train, keep the best on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import ProbeError
from featbank.image import Array

if TYPE_CHECKING:
    from featbank.probes.probe import Classifier, ProbeSpec

Params = Mapping[str, Any]
Scorer = Callable[[Array, Array], float]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Features with their labels.

    Attributes:
        features: (N, D).
        labels: (N,) class indices in [0, K), or (N, K) 0 and 1.
        n_classes: K of the label set, absent classes included.
    """

    features: Array
    labels: Array
    n_classes: int

    @property
    def is_multilabel(self) -> bool:
        """Whether a sample may bear several labels."""
        return self.labels.ndim == 2


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a sweep chose.

    Attributes:
        params: All parameters of the best candidate, defaults included.
        candidates: Parameters of each candidate, in the order they were tried.
        scores: Validation score of each candidate; NaN where its fit ran off to infinity.
        validation: (n, K) probabilities of the validation samples by the best candidate, fitted
            on train alone.
    """

    params: Params
    candidates: tuple[Params, ...]
    scores: tuple[float, ...]
    validation: Array = field(repr=False, compare=False)


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
        scorer: Maps truth, (N,) or (N, K), and probabilities (N, K) over all K classes to a score;
            greater is better, NaN never wins.
        progress: Called after each fit with how many are done and how many there are.

    Raises:
        ProbeError: No candidate has a score.
    """
    tried = candidates(spec, params)
    scores: list[float] = []
    best, validation = 0, np.zeros(0)
    for done, candidate in enumerate(tried, start=1):
        classifier = spec.build(candidate, seed)
        probabilities = fit_predict(classifier, fit_data, score_data.features)
        is_finite = np.isfinite(probabilities).all()
        score = scorer(score_data.labels, probabilities) if is_finite else np.nan
        scores.append(float(score))
        if done == 1 or score > scores[best] or np.isnan(scores[best]):
            best, validation = done - 1, probabilities
        if progress:
            progress(done, len(tried))
    _require_some(scores, spec.name)
    return Choice(params=tried[best], candidates=tried, scores=tuple(scores), validation=validation)


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


def fit_predict(classifier: Classifier, fit_data: Labelled, features: Array) -> Array:
    """Fit a classifier and give its probabilities over all K classes.

    Args:
        classifier: Not fitted yet.
        fit_data: Samples to fit on.
        features: (n, D) samples to predict.

    Returns:
        (n, K); 0 for classes that ``fit_data`` lacks.
    """
    if fit_data.is_multilabel and fit_data.n_classes == 1:
        return _fit_predict_single_label(classifier, fit_data, features)
    probabilities = classifier.fit(fit_data.features, fit_data.labels).predict_proba(features)
    return align_scores(probabilities, classifier.classes_, fit_data.n_classes)


def _fit_predict_single_label(classifier: Classifier, fit_data: Labelled, features: Array) -> Array:
    """One column of yes or no, which scikit-learn takes for two classes, not for a label."""
    yes = fit_data.labels[:, 0]
    if yes.min() == yes.max():
        return np.full((len(features), 1), float(yes[0]))
    return classifier.fit(fit_data.features, yes).predict_proba(features)[:, 1:]


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


def _require_some(scores: list[float], probe: str) -> None:
    if np.isnan(scores).all():
        raise ProbeError(
            f"probe '{probe}'",
            "its validation score is undefined for every candidate",
            "validation samples of some class, and fits that stay finite",
            "Choose a split scheme whose validation split has labels, or another probe with --clf.",
        )
