"""What there is: backbones, datasets, protocols; opening a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.trouble import told

if TYPE_CHECKING:
    import pandas as pd

    from featbank.datasets import Dataset


@told
def list_models() -> pd.DataFrame:
    """The backbones, one row each."""
    import pandas as pd

    from featbank.lookup.listing import model_rows

    return pd.DataFrame(model_rows())


@told
def list_datasets() -> pd.DataFrame:
    """The datasets, one row each."""
    import pandas as pd

    from featbank.lookup.listing import dataset_rows

    return pd.DataFrame(dataset_rows())


@told
def list_protocols() -> pd.DataFrame:
    """The named protocols that a probe may follow, one row each."""
    import pandas as pd

    from featbank.lookup.protocol_listing import protocol_rows

    return pd.DataFrame(protocol_rows())


@told
def open_dataset(
    dataset: str | Path, *, data_root: str | Path | None = None, chips: int | None = None
) -> Dataset:
    """Open a dataset: ``.bands``, ``.samples``, ``.reader``.

    Args:
        dataset: A name of ``list_datasets``, or a folder of images.
        data_root: Folder that holds a named dataset's own layout.
        chips: Number of chips of a procedural dataset.

    Raises:
        UnknownNameError: Neither in the catalog nor a folder.
        MissingPathError: The imagery is not on this machine.
    """
    from featbank.sources.opening import open_dataset as open_by_name

    root = None if data_root is None else Path(data_root)
    return open_by_name(str(dataset), data_root=root, chips=chips)
