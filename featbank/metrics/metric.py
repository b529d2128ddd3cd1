"""What a metric is: a vectorised function of counts by class, of a ranking, or of losses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Values = NDArray[np.float64]
MACRO, MICRO, WEIGHTED, SAMPLES = "macro", "micro", "weighted", "samples"
Takes = Literal["counts", "ranking", "positions", "bins", "losses"]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Samples by class, truth and prediction; any leading axes, K classes last.

    One record for both worlds: a sample of one class is a positive of that class and a negative
    of the others; a sample of several labels is judged label by label.

    Attributes:
        tp: (..., K) of the class and predicted as it.
        fp: (..., K) not of the class, predicted as it.
        fn: (..., K) of the class, not predicted as it.
        tn: (..., K) neither.
    """

    tp: Values
    fp: Values
    fn: Values
    tn: Values

    @property
    def support(self) -> Values:
        """Samples (..., K) of each class in truth."""
        return self.tp + self.fn

    @property
    def predicted(self) -> Values:
        """Samples (..., K) predicted as each class."""
        return self.tp + self.fp

    @property
    def samples(self) -> Values:
        """Samples (...) in all."""
        total: Values = (self.tp + self.fp + self.fn + self.tn)[..., 0]
        return total

    def pooled(self) -> Counts:
        """All decisions as if of one class (..., 1): what a micro average is taken of."""
        return Counts(
            **{
                name: getattr(self, name).sum(axis=-1, keepdims=True)
                for name in ("tp", "fp", "fn", "tn")
            }
        )


@dataclass(frozen=True, kw_only=True)
class Bins:
    """Decisions by confidence, in M bins; any leading axes.

    Attributes:
        count: (..., M) decisions.
        confidence: (..., M) sum of their confidence.
        correct: (..., M) those that are right.
    """

    count: Values
    confidence: Values
    correct: Values


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """A catalog entry.

    Attributes:
        name: Name in the results table.
        summary: One line with the formula.
        function: What it takes is told by ``takes``; NaN where undefined.
        takes: ``counts``: ``Counts`` of (..., K), to (...,) for an aggregate or to (..., K) for
            one value a class. ``ranking``: a ``Ranking`` and how often (U, B) each unit stands in
            each resample, to (B,). ``positions``: samples (..., K) by how many classes stand
            before the true one, to (...,). ``bins``: ``Bins`` of (..., M), to (...,).
            ``losses``: truth (N, K) of 0 and 1, scores (N, K) and whether classes exclude each
            other, to the loss (N,) of each sample, whose mean is the metric.
        per_class: Whether there is one value a class.
        averages: Aggregates beside the classes of a ``per_class`` metric: ``macro``, the mean
            over classes; ``micro``, the value of all decisions pooled; ``weighted``, the mean by
            samples of the class; ``samples``, the mean over samples of the value of one sample's
            decisions. Of others, what its own value is called; () for none.
        has_interval: Whether an interval makes sense. Not for plain counts; nor for calibration
            errors, which noise in bins raises on average.
        bounds: Least and greatest value that the metric can take, which its interval keeps to; None
            gives none, where no rule was seen to cover.
        trials: Of a proportion, the samples (...) or (..., K) that ``function`` divides by, from
            what it takes; None for all that is no share of samples that are right or wrong.
        of_others: Whether the value of a class is made of samples that are not of it.
        single_label: Whether it is reported where a sample has one class.
        multilabel: Whether it is reported where a sample may have several.
        more_than: Reported only where there are more classes than this.
        less_is_better: Whether the smaller of two values is the better.
    """

    name: str
    summary: str
    function: Callable[..., Values] = field(repr=False)
    takes: Takes = "counts"
    per_class: bool = False
    averages: tuple[str, ...] = ()
    has_interval: bool = True
    bounds: tuple[float, float] | None = (0.0, 1.0)
    trials: Callable[..., Values] | None = field(default=None, repr=False)
    of_others: bool = False
    single_label: bool = True
    multilabel: bool = True
    more_than: int = 0
    less_is_better: bool = False
