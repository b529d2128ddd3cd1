"""``rgb``: the red, green and blue bands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.inputs.adapters.adapter import Adapted, AdapterSpec, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bands import Band


def _adapt(bands: Sequence[Band], moments: Moments | None, subject: str) -> Adapted:
    return Adapted(name="rgb", channels=tuple(bands))


SPECS = (
    AdapterSpec(name="rgb", summary="the red, green and blue bands", adapt=_adapt, bands="rgb"),
)
