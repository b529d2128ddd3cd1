"""``per-band``: each band goes through the network alone; features are joined end to end.

A network that sums bands, as DOFA does with the two polarisations of Sentinel-1, cannot tell them
apart; alone, each keeps its own features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.inputs.adapters.adapter import Adapted, AdapterSpec, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bands import Band


def _adapt(bands: Sequence[Band], moments: Moments | None, subject: str) -> Adapted:
    return Adapted(name="per-band", channels=tuple(bands), is_split=True)


SPECS = (
    AdapterSpec(
        name="per-band",
        summary="each band alone through the network, features joined end to end",
        adapt=_adapt,
    ),
)
