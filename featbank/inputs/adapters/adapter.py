"""What an adapter is: the channels it makes of bands, and which go through the network together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from featbank.bands import Band


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Mean and covariance of C bands over train pixels, in the unit of the stored numbers.

    Attributes:
        mean: (C,) float64.
        covariance: (C, C) float64, of the whole population.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """What a network is given in place of the bands.

    Attributes:
        name: The adapter.
        channels: M channels, described as bands.
        weights: (M, C) rows, each a weighted sum of the bands; None where channels are the bands.
        is_split: Whether each channel goes through the network alone.
    """

    name: str
    channels: tuple[Band, ...]
    weights: tuple[tuple[float, ...], ...] | None = None
    is_split: bool = False


@dataclass(frozen=True, kw_only=True)
class AdapterSpec:
    """A catalog entry.

    Attributes:
        name: What users type after ``--adapt``.
        summary: One line on what it does.
        adapt: Makes the channels of C bands, from their moments where it needs them; takes the
            dataset's name for messages. Raises ``ContractError``.
        needs_moments: Whether it is fitted on train pixels.
        bands: Selection among the bands that comes first, as ``--bands`` takes it; empty for all.
    """

    name: str
    summary: str
    adapt: Callable[[Sequence[Band], Moments | None, str], Adapted] = field(repr=False)
    needs_moments: bool = False
    bands: str = ""
