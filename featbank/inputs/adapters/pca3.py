"""``pca3``: the first three principal components of the bands, fitted on train pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.bands import Band
from featbank.errors import ContractError
from featbank.inputs.adapters.adapter import Adapted, AdapterSpec, Moments
from featbank.recipes.recipe import round_significant

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHANNELS = 3


def _adapt(bands: Sequence[Band], moments: Moments | None, subject: str) -> Adapted:
    if len(bands) < _CHANNELS or moments is None:
        raise ContractError(
            subject,
            f"gives {len(bands)} bands",
            "three or more bands for --adapt pca3",
            "Pass --adapt repeat or ratio.",
        )
    std = np.sqrt(np.diag(moments.covariance))
    # Bands are standardised first: else the brightest one alone would be the first component.
    correlation = moments.covariance / np.outer(std, std)
    vectors = np.linalg.eigh(correlation)[1][:, ::-1][:, :_CHANNELS].T
    # An eigenvector's sign is free; the largest entry is made positive, so that every machine
    # finds the same.
    largest = np.abs(vectors).argmax(axis=1)
    vectors *= np.sign(vectors[np.arange(_CHANNELS), largest])[:, None]
    return Adapted(
        name="pca3",
        channels=tuple(Band(name=f"pc{i}") for i in range(1, _CHANNELS + 1)),
        weights=tuple(tuple(round_significant(row)) for row in vectors / std),
    )


SPECS = (
    AdapterSpec(
        name="pca3",
        summary="three principal components, fitted on train pixels",
        adapt=_adapt,
        needs_moments=True,
    ),
)
