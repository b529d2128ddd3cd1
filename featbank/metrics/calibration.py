"""Calibration errors: how far confidence is from the share of decisions that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.metric import MACRO, MICRO, Bins, MetricSpec
from featbank.metrics.scoring.ratios import ratio

if TYPE_CHECKING:
    from featbank.metrics.metric import Values


def ece(bins: Bins) -> Values:
    """Expected calibration error (...): the mean gap between accuracy and confidence of a bin.

    References:
        Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    return ratio(np.abs(bins.correct - bins.confidence).sum(axis=-1), bins.count.sum(axis=-1))


def rmsce(bins: Bins) -> Values:
    """Root mean square calibration error (...): the same with gaps squared.

    References:
        Hendrycks et al. 2019, arXiv:1812.04606, section 4.5.
    """
    squares = bins.count * _gaps(bins) ** 2
    return np.sqrt(ratio(squares.sum(axis=-1), bins.count.sum(axis=-1)))


def mce(bins: Bins) -> Values:
    """Maximum calibration error (...): the largest gap of a bin that holds decisions.

    References:
        Guo et al. 2017, arXiv:1706.04599, eq. 5.
    """
    return np.where(bins.count.sum(axis=-1) > 0, _gaps(bins).max(axis=-1), np.nan)


def _gaps(bins: Bins) -> Values:
    """Gap (..., M) between accuracy and confidence; 0 in an empty bin."""
    return np.nan_to_num(ratio(np.abs(bins.correct - bins.confidence), bins.count))


SPECS = tuple(
    MetricSpec(
        name=name,
        summary=f"{words} of accuracy from confidence, over torchmetrics' 15 bins; less is better",
        function=function,
        takes="bins",
        per_class=True,
        averages=(MACRO, MICRO),
        has_interval=False,
        less_is_better=True,
    )
    for name, words, function in (
        ("ece", "mean gap", ece),
        ("rmsce", "root mean square gap", rmsce),
        ("mce", "largest gap", mce),
    )
)
