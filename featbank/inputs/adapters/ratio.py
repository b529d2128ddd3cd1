"""``ratio``: VV, VH and VV - VH; a difference of decibels is the ratio of the powers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.bands import Band
from featbank.errors import ContractError
from featbank.inputs.adapters.adapter import Adapted, AdapterSpec, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence


def _adapt(bands: Sequence[Band], moments: Moments | None, subject: str) -> Adapted:
    names = [band.name for band in bands]
    if sorted(names) != ["VH", "VV"] or any(band.unit != "dB" for band in bands):
        raise ContractError(
            subject,
            f"gives bands {', '.join(f'{b.name} ({b.unit})' for b in bands)}",
            "VV and VH in dB for --adapt ratio",
            "Pass --bands VV,VH, or another --adapt.",
        )
    first, second = names.index("VV"), names.index("VH")
    rows = [[0.0, 0.0] for _ in range(3)]
    rows[0][first] = rows[1][second] = rows[2][first] = 1.0
    rows[2][second] = -1.0
    ratio = Band(name="VV-VH", gsd_m=bands[first].gsd_m, unit="dB")
    channels = (bands[first], bands[second], ratio)
    return Adapted(name="ratio", channels=channels, weights=tuple(map(tuple, rows)))


SPECS = (AdapterSpec(name="ratio", summary="VV, VH and VV-VH of Sentinel-1", adapt=_adapt),)
