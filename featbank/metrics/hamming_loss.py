"""Hamming loss: the share of label decisions that are wrong."""

from __future__ import annotations

from featbank.metrics.metric import Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import ratio


def hamming_loss(counts: Counts) -> Values:
    """Share (...) of the N K decisions that are wrong, absent classes included; less is better."""
    wrong = (counts.fp + counts.fn).sum(axis=-1)
    return ratio(wrong, counts.samples * counts.tp.shape[-1])


SPECS = (
    MetricSpec(
        name="hamming_loss",
        summary="(fp + fn) / (N K), over all labels; less is better",
        function=hamming_loss,
        single_label=False,
        less_is_better=True,
    ),
)
