"""How a probe is judged: by accuracy of one class a sample, by mean AP of several labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.split_gaps import listed
from featbank.metrics.headline_score import as_kept
from featbank.metrics.scoring.averages import LEFT_OUT, Absent
from featbank.metrics.scoring.calibrated import calibrated_rows
from featbank.metrics.scoring.confusion import confusion_matrix
from featbank.metrics.scoring.decisions import most_probable
from featbank.metrics.scoring.multilabel_scoring import score_multilabel
from featbank.metrics.scoring.resampling import Resampling
from featbank.metrics.scoring.scoring import score
from featbank.metrics.scoring.thresholds import FIXED, MIN_POSITIVES, Thresholds, tuned_thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.image import Array
    from featbank.metrics.scoring.scored import Scored
    from featbank.stages.probe.data import ProbeData
    from featbank.stages.probe.unseen_scores import Unseen

FIXED_NAME, TUNED_NAME = "0.5", "tuned-f2"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Scores of one probe on test.

    Attributes:
        headline: Metric and average of the headline row.
        scored: All metrics.
        unseen: What thresholds and the temperature were fitted on.
        confusion: (K, K) counts of one class a sample; None for several labels.
        tuned: Thresholds tuned on scores of unseen samples; None for one class a sample.
        thresholds: (K,) thresholds by name; none for one class a sample.
        notes: What a reader must know beside the numbers.
    """

    headline: tuple[str, str | None]
    scored: list[Scored]
    unseen: Unseen
    confusion: Array | None = None
    tuned: Thresholds | None = None
    thresholds: dict[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def judge(  # noqa: PLR0913 - what a protocol may ask for, by name
    data: ProbeData,
    scores: Array,
    unseen: Unseen,
    *,
    resamples: int,
    seed: int,
    absent: Absent = LEFT_OUT,
    by: Mapping[str, Array] | None = None,
    top: int | None = None,
) -> Verdict:
    """Score test probabilities by every metric.

    Args:
        data: What the probe was fitted and is scored on.
        scores: (n, K) test probabilities of the scored probe.
        unseen: Truth and probabilities that thresholds and the temperature are fitted on.
        resamples: Parts that intervals leave out, at most; 0 gives none.
        seed: Seed of what they leave out.
        absent: Whether macro averages leave out classes without a test sample, or count them as
            zero.
        by: (n,) values of the test samples by name, whose samples are scored apart too.
        top: Of several labels, how many the most probable decide for beside the thresholds, under
            the name ``top-5`` for five of them.

    Raises:
        ProbeError: A column of ``by`` tells nearly every sample apart.
    """
    truth, scores = data.labels[data.rows["test"]], as_kept(scores)
    groups = None if data.groups is None else data.groups[data.rows["test"]]
    resampling = Resampling(groups=groups, resamples=resamples, seed=seed)
    validation = unseen.truth, as_kept(unseen.scores)
    notes = (*_untrained_note(data), *_absent_note(truth, data.classes, absent))
    if data.is_multilabel:
        tuned = tuned_thresholds(*validation, unlearned=unseen.unlearned)
        thresholds = {FIXED_NAME: np.full(len(data.classes), FIXED), TUNED_NAME: tuned.values}
        decided = thresholds | ({} if top is None else {f"top-{top}": most_probable(scores, top)})
        scored = score_multilabel(
            truth, scores, thresholds=decided, resampling=resampling, absent=absent, by=by
        )
        verdict = Verdict(headline=("map", "macro"), scored=scored, unseen=unseen, tuned=tuned)
        verdict = replace(
            verdict, thresholds=thresholds, notes=(*notes, *_pooled_note(tuned, unseen.in_words))
        )
    else:
        scored = score(truth, scores, resampling=resampling, absent=absent, by=by)
        confusion = confusion_matrix(truth, scores.argmax(axis=1), n_classes=len(data.classes))
        verdict = Verdict(
            headline=("accuracy", None),
            scored=scored,
            unseen=unseen,
            confusion=confusion,
            notes=notes,
        )
    calibrated = calibrated_rows(truth, scores, validation=validation)
    return replace(verdict, scored=[*scored, *calibrated])


def _absent_note(truth: Array, classes: Sequence[str], absent: Absent) -> tuple[str, ...]:
    missing = _counts(truth, len(classes)) == 0
    if not missing.any():
        return ()
    fate = "left out of macro averages" if absent == LEFT_OUT else "counted as 0 in macro averages"
    return (f"without a test sample, so {fate}: {_of_all(missing, classes)}",)


def _untrained_note(data: ProbeData) -> tuple[str, ...]:
    n_classes = len(data.classes)
    fitted, tested = (_counts(data.labels[data.rows[u]], n_classes) for u in ("final", "test"))
    missed = (fitted == 0) & (tested > 0)
    if not missed.any():
        return ()
    return (f"never fitted on, so missed in all of test: {_of_all(missed, data.classes)}",)


def _counts(labels: Array, n_classes: int) -> Array:
    """(K,) samples of each class."""
    found: Array = (
        labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=n_classes)
    )
    return found


def _of_all(which: Array, classes: Sequence[str]) -> str:
    """How many of the classes, and their names, of many the first few."""
    names = [str(classes[k]) for k in np.flatnonzero(which).tolist()]
    return f"{len(names)} of {len(classes)} classes ({listed(names)})"


def _pooled_note(tuned: Thresholds, where: str) -> tuple[str, ...]:
    pooled = int(tuned.is_pooled.sum())
    if not pooled:
        return ()
    trouble = (
        f"with fewer than {MIN_POSITIVES} positives in {where}, or all of them in one fold, so at "
        "the pooled threshold"
    )
    return (f"{trouble}: {pooled} of {len(tuned.values)} labels",)
