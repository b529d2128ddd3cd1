"""Top-k accuracy: the share of samples whose class is among the k of greatest score."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.metric import MetricSpec
from featbank.metrics.scoring.ratios import ratio

if TYPE_CHECKING:
    from featbank.metrics.metric import Values


def top_k_accuracy(positions: Values, *, k: int) -> Values:
    """Share (...) of samples with fewer than k classes before the true one.

    Of classes with equal scores the first of the label set stands first, as in a decision by the
    greatest score, so that k = 1 is accuracy. (scikit-learn puts the last of equals first.)

    Args:
        positions: (..., K) samples by how many classes stand before the true one.
        k: Classes that may be named, >= 1.
    """
    return ratio(positions[..., :k].sum(axis=-1), positions.sum(axis=-1))


SPECS = tuple(
    MetricSpec(
        name=f"top{k}_accuracy",
        summary=f"samples whose class is among the {k} of greatest score / N",
        function=partial(top_k_accuracy, k=k),
        trials=partial(np.sum, axis=-1),
        takes="positions",
        multilabel=False,
        more_than=k,
    )
    for k in (3, 5)
)
