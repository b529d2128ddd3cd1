"""Calibration after a temperature is fitted on samples that the probe has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.metrics.calibration import ece
from featbank.metrics.metric import MACRO, MICRO
from featbank.metrics.scoring.calibration import (
    are_probabilities,
    bins_of,
    fit_temperature,
    pooled,
    scaled,
)
from featbank.metrics.scoring.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array
    from featbank.metrics.metric import Values

TEMPERATURE, ECE_SCALED = "temperature", "ece_scaled"


def calibrated_rows(
    truth: Array, scores: Array, *, validation: tuple[Array, Array]
) -> Iterator[Scored]:
    """The temperature, then the calibration error of probabilities at it.

    Nothing where scores are not probabilities, or without unseen samples.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1.
        scores: (N, K) probabilities.
        validation: Truth and probabilities of samples that the probe was not fitted on.

    Yields:
        ``temperature``, then ``ece_scaled``: one of one class a sample, the mean over labels and
        that of all labels pooled of several.
    """
    exclusive = truth.ndim == 1
    both = scores, validation[1]
    if not all(len(p) and are_probabilities(p, exclusive=exclusive) for p in both):
        return
    temperature = fit_temperature(*validation)
    yield Scored(metric=TEMPERATURE, value=temperature, n=len(validation[1]))
    bins = bins_of(truth, scaled(scores, temperature, exclusive=exclusive))
    values: dict[str | None, Values] = {None: ece(pooled(bins))}
    if not exclusive:
        values = {MACRO: ece(bins).mean(), MICRO: ece(pooled(bins))}
    for average, value in values.items():
        yield Scored(metric=ECE_SCALED, average=average, value=float(value), n=len(truth))
