"""What a distortion has to know of a channel to work on its normalised values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bands import Band, Unit

# Radar bands of Earth observation have wavelengths of 8 mm (Ka) to 1 m (P), optical and thermal
# ones end at 15 µm (IEEE Std 521-2002; ESA Landsat 8 TIRS).
_SHORTEST_RADAR_UM = 1_000.0


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """One channel of the network's input.

    Attributes:
        unit: Unit of the number before it was normalised.
        mean: What was subtracted, in that unit.
        std: What was divided by, in that unit, > 0.
        is_sar: Whether it is a radar band, which speckle acts on.
    """

    unit: Unit
    mean: float
    std: float
    is_sar: bool


def channel_facts(
    bands: Sequence[Band], mean: Sequence[float], std: Sequence[float]
) -> tuple[ChannelFacts, ...]:
    """Facts of the bands that a network is given.

    A band is radar where its unit is dB or its wavelength is above a millimetre.

    Args:
        bands: C bands.
        mean: C means that were subtracted, in the bands' units.
        std: C spreads that were divided by, in the bands' units.
    """
    return tuple(
        ChannelFacts(unit=band.unit, mean=float(m), std=float(s), is_sar=_is_sar(band))
        for band, m, s in zip(bands, mean, std, strict=True)
    )


def _is_sar(band: Band) -> bool:
    wavelength = band.wavelength_um or 0.0
    return band.unit == "dB" or wavelength > _SHORTEST_RADAR_UM
