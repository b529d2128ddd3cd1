"""Choose a probe's parameters: fit each candidate, keep the best on other samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import ProbeError
from featbank.image import Array

if TYPE_CHECKING:
    from featbank.probes.probe import Candidate, Classifier, ProbeSpec
    from featbank.probes.protocols import ProtocolSpec

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
        views: (start, stop) pairs of columns that a candidate of this ``view`` sees.
    """

    features: Array
    labels: Array
    n_classes: int
    views: Mapping[str, Any] = field(default_factory=dict)

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
        validation: (n, K) probabilities of the samples that were chosen on, by the best
            candidate, which was not fitted on them.
        unconverged: Candidates whose solver stopped before it converged.
    """

    params: Params
    candidates: tuple[Params, ...]
    scores: tuple[float, ...]
    validation: Array = field(repr=False, compare=False)
    unconverged: int = 0


def choose(
    spec: ProbeSpec,
    tried: Sequence[Params],
    *,
    fit_data: Labelled,
    score_data: Labelled,
    seed: int,
    scorer: Scorer,
    progress: Progress | None = None,
) -> Choice:
    """Fit every candidate and keep the best on validation, the simplest of equals.

    Args:
        spec: The probe.
        tried: Whole parameters of each candidate, simplest first.
        fit_data: Samples to fit on.
        score_data: Samples to score on, of the same K.
        seed: Seed of every fit.
        scorer: Maps truth, (N,) or (N, K), and probabilities (N, K) over all K classes to a score;
            greater is better, NaN never wins.
        progress: Called after each fit with how many are done and how many there are.

    Raises:
        ProbeError: No candidate has a score.
    """
    scores: list[float] = []
    best, validation, unconverged = 0, np.zeros(0), 0
    alone = progress if len(tried) == 1 else None
    fits = fitted(spec, [(candidate, seed) for candidate in tried], fit_data, alone)
    for done, classifier in enumerate(fits, start=1):
        probabilities = predict(classifier, score_data.features, fit_data)
        is_finite = np.isfinite(probabilities).all()
        score = scorer(score_data.labels, probabilities) if is_finite else np.nan
        scores.append(float(score))
        unconverged += not getattr(classifier, "converged_", True)
        if done == 1 or score > scores[best] or np.isnan(scores[best]):
            best, validation = done - 1, probabilities
        if progress and len(tried) > 1:
            progress(done, len(tried))
    _require_some(scores, spec.name)
    return Choice(
        params=tried[best],
        candidates=tuple(tried),
        scores=tuple(scores),
        validation=validation,
        unconverged=unconverged,
    )


def candidates(protocol: ProtocolSpec, defaults: Params, params: Params) -> tuple[Params, ...]:
    """Whole parameter sets to try, simplest first.

    A parameter that the user fixed and the grid sweeps leaves one candidate, not equal ones.

    Args:
        protocol: Its parameters and grid.
        defaults: The probe's own parameters.
        params: Parameters that the user fixed; they win over all others.
    """
    kept: list[Params] = []
    for member in protocol.grid:
        candidate = {**defaults, **protocol.params, **member, **params}
        if candidate not in kept:
            kept.append(candidate)
    return tuple(kept)


def fitted(
    spec: ProbeSpec,
    wanted: Sequence[Candidate],
    fit_data: Labelled,
    progress: Progress | None = None,
) -> Iterator[Classifier | None]:
    """Classifiers of candidates in order, fitted as one problem where the probe can.

    Args:
        spec: The probe.
        wanted: Whole parameters and seed of each.
        fit_data: Samples to fit on.
        progress: Handed to a classifier that is fitted alone and takes one, such as a forest,
            which counts its trees.

    Yields:
        Each classifier; None for a single label that never or always holds, which
        ``predict`` knows without one.
    """
    y = _single_label(fit_data)
    wanted = [(_with_columns(params, fit_data.views), seed) for params, seed in wanted]
    if y is not None and y.min() == y.max():
        yield from (None for _ in wanted)
    elif spec.fit_grid is not None:
        yield from spec.fit_grid(wanted, fit_data.features, fit_data.labels if y is None else y)
    else:
        for params, seed in wanted:
            classifier = spec.build(params, seed)
            if progress and hasattr(classifier, "progress"):
                classifier.progress = progress
            yield classifier.fit(fit_data.features, fit_data.labels if y is None else y)


def _with_columns(params: Params, views: Mapping[str, Any]) -> Params:
    """Parameters as the classifier takes them: the columns of a view instead of its name."""
    if "view" not in params:
        return params
    kept = {name: value for name, value in params.items() if name != "view"}
    return kept | {"columns": views[params["view"]]}


def predict(classifier: Classifier | None, features: Array, fit_data: Labelled) -> Array:
    """Probabilities (n, K) over all K classes; 0 for classes that ``fit_data`` lacks.

    Args:
        classifier: Of ``fitted``.
        features: (n, D) samples to predict.
        fit_data: What it was fitted on.

    Raises:
        ProbeError: The classifier gives another shape.
    """
    y = _single_label(fit_data)
    if classifier is None:
        share = 0.0 if y is None else float(y[0])
        return np.full((len(features), 1), share)
    probabilities = classifier.predict_proba(features)
    _require_shape(probabilities, classifier, len(features))
    if y is not None:
        return probabilities[:, 1:]
    return align_scores(probabilities, classifier.classes_, fit_data.n_classes)


def _require_shape(found: Any, classifier: Classifier, rows: int) -> None:  # noqa: ANN401 - any probe's
    """Refuse scores that are not of these samples and classes.

    What they add up to is free: votes of published k-NN protocols are no probabilities, and
    calibration is told of probabilities alone.
    """
    shape = (rows, len(classifier.classes_))
    if not isinstance(found, np.ndarray) or found.shape != shape:
        raise ProbeError(
            f"classifier {type(classifier).__name__}",
            f"predict_proba gives a {type(found).__name__} of shape {np.shape(found)}",
            f"an array of shape {shape}, a row for each sample and a column for each class",
            "Correct the probe.",
        )


def _single_label(data: Labelled) -> Array | None:
    """(N,) yes or no of one label, which scikit-learn takes for two classes, not for a label."""
    return data.labels[:, 0] if data.is_multilabel and data.n_classes == 1 else None


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
