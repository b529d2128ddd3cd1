"""Whether a probe is tested on the very images of train or validation, under other ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.store.text_columns import image_digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.store.reader import Store


def known_images(store: Store, rows: Mapping[str, NDArray[np.intp]]) -> str:
    """What a reader must know where test chips are byte for byte train or val chips; else empty.

    Args:
        store: The store that is probed.
        rows: Its rows by use: ``train``, ``val`` and ``test``.
    """
    told = image_digests(store.path)
    if told is None:
        return ""
    digests = told.astype("S64")
    fitted = np.concatenate([digests[rows[use]] for use in ("train", "val")])
    tested = rows["test"]
    count = int(np.isin(digests[tested], fitted).sum())
    if not count:
        return ""
    return (
        f"{count} of the {len(tested)} test chips are byte for byte chips of train or validation, "
        "under other ids"
    )
