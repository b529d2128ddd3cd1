"""What every chip of a dataset must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Grid


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What every chip of a dataset must keep.

    Attributes:
        grids: Grids with their bands and dtypes.
        units: Unit of each band by name.
        allows_constant: Whether a chip without any contrast is a true chip.
        max_missing: Share of pixels missing in any band, 0 to 1, above which a chip is refused.
        may_drop_bands: Whether a chip may come without some of the bands.
    """

    grids: tuple[Grid, ...]
    units: Mapping[str, str]
    allows_constant: bool = False
    max_missing: float = 0.5
    may_drop_bands: bool = False
