"""What a metric is: a vectorised function of counts by class, or of a curve along thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Values = NDArray[np.float64]
MACRO, MICRO = "macro", "micro"


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
class Curve:
    """Hits of one class along M falling thresholds; any leading axes.

    The thresholds are the distinct scores of positives: at others only false positives are added.

    Attributes:
        tp: (..., M) positives whose score is at or above the threshold.
        fp: (..., M) negatives whose score is.
    """

    tp: Values
    fp: Values


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """A catalog entry.

    Attributes:
        name: Name in the results table.
        summary: One line with the formula.
        function: Maps ``Counts`` of (..., K) to (...,) for an aggregate, or to (..., K) for one
            value a class; for a ranking metric, ``Curve`` of (..., M) to (...,). NaN where
            undefined.
        per_class: Whether there is one value a class.
        averages: Aggregates: of a ``per_class`` metric those beside its classes (``macro``, the
            mean over classes that are present; ``micro``, the value of all decisions pooled),
            else what its own value is called; () for none.
        ranking: Whether the function takes curves, so that no threshold is needed.
        has_interval: Whether a bootstrap interval makes sense; not for plain counts.
        single_label: Whether it is reported where a sample has one class.
        multilabel: Whether it is reported where a sample may have several.
    """

    name: str
    summary: str
    function: Callable[[Any], Values] = field(repr=False)
    per_class: bool = False
    averages: tuple[str, ...] = ()
    ranking: bool = False
    has_interval: bool = True
    single_label: bool = True
    multilabel: bool = True
