"""Text columns of a store that need not be finished, among them the digests of its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import zarr

from featbank.store.schema import DIGEST

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def text_column(path: Path, name: str) -> NDArray[np.object_] | None:
    """(N,) texts of one column; None where the store has none."""
    if not (path / name).is_dir():
        return None
    return np.asarray(zarr.open_array(path / name, mode="r", zarr_format=3)[...]).astype(object)


def image_digests(path: Path) -> NDArray[np.object_] | None:
    """(N,) SHA-256 of what each image of a store is.

    None in stores that are older than digests, and of several stores read as one, whose rows may
    stand for several images.
    """
    return text_column(path, DIGEST)
