"""Which bands of a dataset a person sees, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bands import Band
    from featbank.datasets import Dataset

_ROLES = ("red", "green", "blue")
# Centres of the red, green and blue receptors' part of the spectrum, as true-colour composites of
# Sentinel-2 and Landsat take them (ESA Sentinel-2 user guide: B04, B03, B02).
_CENTRES_UM = (0.65, 0.56, 0.48)
# Further off, a band is another colour: B05 (0.705 µm) is red edge, B01 (0.443 µm) is violet.
_TOLERANCE_UM = 0.05
_RADAR = ("VV", "VH")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Bands that are drawn.

    Attributes:
        bands: Their names: red, green and blue; or VV and VH; or one.
        kind: ``true colour``, ``false colour``, ``radar`` or ``grey``.
        is_ready: Whether the numbers are eight-bit and shown as they are.
    """

    bands: tuple[str, ...]
    kind: str
    is_ready: bool = False

    @property
    def words(self) -> str:
        """What the colours mean, for captions."""
        if self.kind == "radar":
            return "Red VV, green VH, blue VV - VH (dB)"
        return f"{self.kind.capitalize()} ({', '.join(self.bands)})"


def shown_bands(dataset: Dataset) -> Shown:
    """The bands of a dataset that a person expects to see.

    Red, green and blue by role, else by wavelength; else both Sentinel-1 polarisations; else the
    first three bands as they stand, or the only one in grey.

    Args:
        dataset: With its bands and grids.
    """
    bands = dataset.bands
    ready = {band for grid in dataset.grids for band in grid.bands if grid.dtype == "uint8"}
    chosen = _by_role(bands) or _by_wavelength(bands)
    if chosen:
        return Shown(bands=chosen, kind="true colour", is_ready=set(chosen) <= ready)
    decibels = {band.name for band in bands if band.unit == "dB"}
    if set(_RADAR) <= decibels:
        return Shown(bands=_RADAR, kind="radar")
    first = tuple(band.name for band in bands[:3] if len(bands) >= 3) or (bands[0].name,)
    kind = "false colour" if len(first) == 3 else "grey"
    return Shown(bands=first, kind=kind, is_ready=set(first) <= ready)


def _by_role(bands: Sequence[Band]) -> tuple[str, ...]:
    names = {band.role: band.name for band in bands}
    return tuple(names[role] for role in _ROLES) if set(_ROLES) <= set(names) else ()


def _by_wavelength(bands: Sequence[Band]) -> tuple[str, ...]:
    known = [(band.wavelength_um, band.name) for band in bands if band.wavelength_um is not None]
    chosen = []
    for centre in _CENTRES_UM:
        near = min(known, key=lambda band: abs(band[0] - centre), default=(0.0, ""))
        if abs(near[0] - centre) > _TOLERANCE_UM:
            return ()
        chosen.append(near[1])
    return tuple(chosen) if len(set(chosen)) == len(chosen) else ()
