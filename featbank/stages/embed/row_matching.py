"""Which samples of a dataset are the rows of a store: by content, whatever the files are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def matched_rows(
    digests: NDArray[Any], ids: NDArray[Any], *, kept_digests: NDArray[Any], kept_ids: NDArray[Any]
) -> NDArray[np.intp]:
    """For each row of a store the sample that it is.

    Samples of equal content are one image, so that any of them may be any of its rows: those whose
    id a row bears keep it, the others follow in order of id.

    Args:
        digests: (N,) of the samples, the same as the store's in some order.
        ids: (N,) of the samples.
        kept_digests: (N,) of the store's rows.
        kept_ids: (N,) of the store's rows.

    Returns:
        (N,) a sample for each row; each sample once.

    Example:
        >>> a = np.array(["x", "x", "y"]), np.array(["1", "2", "3"])
        >>> matched_rows(*a, kept_digests=np.array(["y", "x", "x"]),
        ...              kept_ids=np.array(["3", "2", "0"])).tolist()
        [2, 1, 0]
    """
    n = len(digests)
    image = _codes(kept_digests, digests)
    name = _codes(kept_ids, ids, in_order=True)
    pair = image * (2 * n) + name
    stays = np.concatenate([np.isin(pair[:n], pair[n:]), np.isin(pair[n:], pair[:n])])
    kept, new = (np.lexsort((name[part], ~stays[part], image[part])) for part in _halves(n))
    rows = np.empty(n, dtype=np.intp)
    rows[kept] = new
    return rows


def _halves(n: int) -> tuple[slice, slice]:
    return slice(0, n), slice(n, 2 * n)


def _codes(
    first: NDArray[Any], second: NDArray[Any], *, in_order: bool = False
) -> NDArray[np.int64]:
    """(2N,) numbers, equal for equal texts; on request in the order of the texts."""
    import pandas as pd

    texts = np.concatenate([first, second]).astype(object)
    # Not np.unique: sorting NumPy's variable-length strings, two sorted runs one after the other,
    # ends in a segmentation fault (NumPy 2.4.6), and sorting objects takes ten times as long.
    return np.asarray(pd.factorize(texts, sort=in_order)[0], dtype=np.int64)
