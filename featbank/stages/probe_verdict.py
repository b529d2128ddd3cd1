"""How a probe is judged: by accuracy of one class a sample, by mean AP of several labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics._confusion import confusion_matrix
from featbank.metrics._multilabel_scoring import mean_average_precision, score_multilabel
from featbank.metrics._scoring import score
from featbank.metrics._thresholds import FIXED, MIN_POSITIVES, Thresholds, tuned_thresholds

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.metrics._scored import Scored
    from featbank.probes._sweep import Choice
    from featbank.stages.probe_data import ProbeData

FIXED_NAME, TUNED_NAME = "0.5", "tuned-f2"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Scores of one probe on test.

    Attributes:
        headline: Metric and average of the headline row.
        scored: All metrics.
        confusion: (K, K) counts of one class a sample; None for several labels.
        tuned: Thresholds tuned on validation; None for one class a sample.
        thresholds: (K,) thresholds by name; none for one class a sample.
        notes: What a reader must know beside the numbers.
    """

    headline: tuple[str, str | None]
    scored: list[Scored]
    confusion: Array | None = None
    tuned: Thresholds | None = None
    thresholds: dict[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def headline_score(truth: Array, scores: Array) -> float:
    """Accuracy of one class a sample, macro mean average precision of several labels.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1.
        scores: (N, K) finite probabilities.
    """
    if truth.ndim == 2:
        return mean_average_precision(truth, as_kept(scores))
    return float((scores.argmax(axis=1) == truth).mean())


def as_kept(scores: Array) -> Array:
    """Scores as the predictions file keeps them, in float32.

    Rankings are made of these, so that anyone who ranks the file finds the same numbers, and so
    that scores which differ by rounding alone, such as sums of all votes, are equal.
    """
    return scores.astype(np.float32)


def judge(data: ProbeData, scores: Array, choice: Choice, *, resamples: int, seed: int) -> Verdict:
    """Score test probabilities by every metric.

    Args:
        data: What the probe was fitted and is scored on.
        scores: (n, K) test probabilities of the refitted probe.
        choice: Holds the validation probabilities that thresholds are tuned on.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    truth = data.labels[data.rows["test"]]
    absent = _absent_note(truth, len(data.classes))
    groups = None if data.groups is None else data.groups[data.rows["test"]]
    if data.is_multilabel:
        scores = as_kept(scores)
        tuned = tuned_thresholds(data.labels[data.rows["val"]], as_kept(choice.validation))
        thresholds = {FIXED_NAME: np.full(len(data.classes), FIXED), TUNED_NAME: tuned.values}
        return Verdict(
            headline=("map", "macro"),
            scored=score_multilabel(
                truth, scores, thresholds=thresholds, groups=groups, resamples=resamples, seed=seed
            ),
            tuned=tuned,
            thresholds=thresholds,
            notes=(*absent, *_pooled_note(tuned)),
        )
    predicted, k = scores.argmax(axis=1), len(data.classes)
    return Verdict(
        headline=("accuracy", None),
        scored=score(truth, predicted, n_classes=k, groups=groups, resamples=resamples, seed=seed),
        confusion=confusion_matrix(truth, predicted, n_classes=k),
        notes=absent,
    )


def _absent_note(truth: Array, n_classes: int) -> tuple[str, ...]:
    counts = truth.sum(axis=0) if truth.ndim == 2 else np.bincount(truth, minlength=n_classes)
    absent = int((counts == 0).sum())
    if not absent:
        return ()
    trouble = "without a test sample, so left out of macro averages"
    return (f"{trouble}: {absent} of {n_classes} classes",)


def _pooled_note(tuned: Thresholds) -> tuple[str, ...]:
    pooled = int(tuned.is_pooled.sum())
    if not pooled:
        return ()
    trouble = f"with fewer than {MIN_POSITIVES} positives in validation, so at the pooled threshold"
    return (f"{trouble}: {pooled} of {len(tuned.values)} labels",)
