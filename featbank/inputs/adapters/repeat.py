"""``repeat``: one or two bands, repeated in turn until there are three."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.errors import ContractError
from featbank.inputs.adapters.adapter import Adapted, AdapterSpec, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bands import Band

_CHANNELS = 3


def _adapt(bands: Sequence[Band], moments: Moments | None, subject: str) -> Adapted:
    count = len(bands)
    if count >= _CHANNELS:
        raise ContractError(
            subject,
            f"gives {count} bands ({', '.join(band.name for band in bands)})",
            "one or two bands for --adapt repeat",
            "Choose them with --bands, or pass --adapt pca3.",
        )
    rows = [[float(k == i % count) for k in range(count)] for i in range(_CHANNELS)]
    channels = tuple(bands[i % count] for i in range(_CHANNELS))
    return Adapted(name="repeat", channels=channels, weights=tuple(map(tuple, rows)))


SPECS = (AdapterSpec(name="repeat", summary="one or two bands repeated to three", adapt=_adapt),)
