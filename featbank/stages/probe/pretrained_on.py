"""Whether a checkpoint was pretrained on the very chips that a probe is tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.sources.checkpoint_opening import SEEN, SEEN_COLUMN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from featbank.store.reader import Store


def pretrained_on(store: Store, rows: NDArray[np.intp]) -> str:
    """What a reader must know where test chips were seen in pretraining, unlabelled; else empty.

    Ids are compared one by one, so that it holds whatever split schemes the two runs took.

    Args:
        store: The store that is probed.
        rows: Its test rows.
    """
    if SEEN_COLUMN not in store.column_names:
        return ""
    count = int((store.column(SEEN_COLUMN)[rows] == SEEN).sum())
    if not count:
        return ""
    return f"the model was pretrained, without labels, on {count} of the {len(rows)} test chips"
