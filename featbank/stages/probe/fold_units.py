"""What folds must not part: groups, or else the blocks that a split scheme keeps apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.datasets.splitting.blocks import (
    BLOCK_DEGREES,
    EDGES_M,
    degree_blocks,
    edge_name,
    local_metres,
    metre_blocks,
)
from featbank.datasets.splitting.split_rungs import BLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array

_DEGREES = f"{BLOCK_DEGREES}deg"
_EDGES = {edge_name(edge): edge for edge in EDGES_M}


def fold_units(groups: Array | None, lonlat: NDArray[Any] | None, scheme: str) -> Array | None:
    """(N,) what keeps samples together; None where each stands for itself.

    Test of a scheme such as ``block-1km-0`` lies in other blocks than what is fitted on. Folds of
    single samples would leave a sample's neighbours in, and its scores would look too certain.

    Args:
        groups: (N,) groups; None where the dataset does not say.
        lonlat: (N, 2) degrees, WGS 84; None where no place is known.
        scheme: Split scheme, by its true name.
    """
    if groups is not None or lonlat is None or not scheme.startswith(BLOCK):
        return groups
    edge = scheme.removeprefix(BLOCK).rpartition("-")[0]
    if edge == _DEGREES:
        return degree_blocks(lonlat)
    return metre_blocks(local_metres(lonlat), _EDGES[edge]) if edge in _EDGES else None
