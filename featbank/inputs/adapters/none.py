"""``none``: the network takes the bands as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.inputs.adapters.adapter import Adapted, AdapterSpec, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bands import Band


def _adapt(bands: Sequence[Band], moments: Moments | None, subject: str) -> Adapted:
    return Adapted(name="none", channels=tuple(bands))


SPECS = (AdapterSpec(name="none", summary="the bands as they are", adapt=_adapt),)
