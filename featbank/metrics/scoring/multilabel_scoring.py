"""Score probabilities of several labels a sample by every metric, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError
from featbank.metrics.average_precision import average_precision
from featbank.metrics.scoring.averages import LEFT_OUT, Absent, macro
from featbank.metrics.scoring.multilabel_panel import MultilabelPanel
from featbank.metrics.scoring.panel import panel_rows
from featbank.metrics.scoring.ranking import rank
from featbank.metrics.scoring.resampling import PLAIN, Resampling, units_of
from featbank.metrics.scoring.scoring import require_finite
from featbank.metrics.scoring.subgroups import with_subgroups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array
    from featbank.metrics.scoring.scored import Scored


def score_multilabel(
    truth: Array,
    scores: Array,
    *,
    thresholds: Mapping[str, Array],
    resampling: Resampling = PLAIN,
    absent: Absent = LEFT_OUT,
    by: Mapping[str, Array] | None = None,
) -> list[Scored]:
    """Every multilabel metric: rankings first, then decisions by each set of thresholds.

    Decisions that look at no score stand beside them: F1 and F2 of a yes to everything and the
    Hamming loss of a no to everything. Calibration and losses are left out where scores are not
    probabilities. All metrics of one resample see the same samples.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) finite scores.
        thresholds: (K,) thresholds by name, a score at or above is a yes; or (N, K) bool, such as
            ``most_probable`` gives, decisions that are taken as they are.
        resampling: How intervals are made.
        absent: Whether macro averages leave out labels without a positive, or count them as zero
            as scikit-learn does; in each resample too.
        by: (N,) values by name, such as each sample's country: the main metrics of the samples
            of each value follow those of all samples.

    Raises:
        ProbeError: Truth is not 0 and 1, scores are not finite, or the shapes differ.
    """
    _check(truth, scores)

    def rows_of(kept: Array) -> list[Scored]:
        of_kept = resampling.of(kept)
        units = of_kept.units(len(kept))
        limits = {n: v[kept] if v.dtype == bool else v for n, v in thresholds.items()}
        panel = MultilabelPanel(truth[kept], scores[kept], limits, units, absent)
        return panel_rows(panel, of_kept)

    return with_subgroups(rows_of, len(truth), by)


def mean_average_precision(truth: Array, scores: Array, *, absent: Absent = LEFT_OUT) -> float:
    """Macro average precision; NaN where no label has positives.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) finite scores.
        absent: As in ``score_multilabel``.

    Raises:
        ProbeError: As ``score_multilabel``.
    """
    _check(truth, scores)
    once = units_of(len(truth)).once
    rankings = (rank(t, s) for t, s in zip(truth.T, scores.T, strict=True))
    values = np.array([average_precision(each, once)[0] for each in rankings])
    return float(macro(values, truth.sum(axis=0, dtype=np.float64), absent=absent))


def _check(truth: Array, scores: Array) -> None:
    if truth.ndim != 2:
        raise ProbeError(
            "truth",
            f"its shape is {truth.shape}",
            "(N, K), 0 or 1 for each label",
            "Score samples of one class by their class indices.",
        )
    require_finite(scores, truth.shape)
    if not np.isin(truth, (0, 1)).all():
        raise ProbeError(
            "truth", "it holds numbers other than 0 and 1", "0 and 1", "Leave out unlabelled rows."
        )
