"""The metric that stands first in a result: what parameters are chosen by and what is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics import METRICS
from featbank.metrics.average_precision import average_precision
from featbank.metrics.headline_score import as_kept, headline_score
from featbank.metrics.metric import MICRO, Counts
from featbank.metrics.scoring.averages import LEFT_OUT, Absent
from featbank.metrics.scoring.decisions import most_probable
from featbank.metrics.scoring.ranking import rank
from featbank.metrics.scoring.resampling import units_of

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.probes.protocols import ProtocolSpec


@dataclass(frozen=True, kw_only=True)
class Headline:
    """A metric of one class a sample, or of several labels.

    Attributes:
        metric: Name in the metrics catalog.
        average: How labels are averaged; None of one class a sample.
        top: Labels, the most probable, that are decided for; None where no decision is made.
    """

    metric: str
    average: str | None = None
    top: int | None = None

    @property
    def threshold(self) -> str | None:
        """What decides, as rows name it; None where scores alone do."""
        return None if self.top is None else f"top-{self.top}"

    def is_that_of(self, metric: str, average: str | None, threshold: str | None) -> bool:
        """Whether a row is this metric's."""
        return (metric, average, threshold) == (self.metric, self.average, self.threshold)

    def score(self, truth: Array, scores: Array, *, absent: Absent = LEFT_OUT) -> float:
        """Its value.

        Args:
            truth: (N,) class indices, or (N, K) 0 and 1.
            scores: (N, K) finite probabilities.
            absent: What a mean over labels makes of those without positives; pooled labels
                (``micro``) do not ask.
        """
        if self.average != MICRO:
            return headline_score(truth, scores, absent=absent)
        kept = as_kept(scores)
        if self.top is None:
            once = units_of(truth.size).once
            return float(average_precision(rank(truth.ravel(), kept.ravel()), once)[0])
        return _pooled(self.metric, truth == 1, most_probable(kept, self.top))


def _pooled(metric: str, truth: Array, said: Array) -> float:
    """A metric of all decisions (N, K) as if of one label."""
    counts = [truth & said, ~truth & said, truth & ~said, ~truth & ~said]
    tp, fp, fn, tn = (np.array([[float(each.sum())]]) for each in counts)
    return float(METRICS[metric].function(Counts(tp=tp, fp=fp, fn=fn, tn=tn))[0, 0])


def headline_of(protocol: ProtocolSpec, *, several: bool) -> Headline:
    """The metric that a protocol reports first.

    Args:
        protocol: The protocol.
        several: Whether a sample may bear several labels.
    """
    if not several:
        return Headline(metric="accuracy")
    metric, average = protocol.of_several
    decides = metric != "map"
    return Headline(metric=metric, average=average, top=protocol.top if decides else None)
