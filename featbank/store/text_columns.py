"""Text columns of a store that need not be finished, among them the digests of its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.store.schema import DIGEST
from featbank.store.stored import stored_values

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def text_column(path: Path, name: str) -> NDArray[np.object_] | None:
    """(N,) texts of one column; None where the store has none.

    Raises:
        StoreError: It is damaged.
    """
    if not (path / name).is_dir():
        return None
    return stored_values(path, name).astype(object)


def image_digests(path: Path) -> NDArray[np.object_] | None:
    """(N,) SHA-256 of what each image of a store is.

    None in stores that are older than digests, and of several stores read as one, whose rows may
    stand for several images.
    """
    return text_column(path, DIGEST)
