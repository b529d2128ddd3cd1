"""The log of a training run as it is read again: one row a step or epoch, numbers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.errors import StoreError
from featbank.parquet_file import read_parquet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd


def read_log(path: Path) -> pd.DataFrame:
    """All rows of a log.

    Raises:
        StoreError: It is damaged, or holds something else.
    """
    import pandas as pd

    table = read_parquet(path, lambda found: damaged_log(path, found))
    try:
        columns = {name: numbers_of(column) for name, column in table.to_pydict().items()}
    except ValueError as error:
        raise damaged_log(path, str(error)) from error
    frame = pd.DataFrame(columns)
    if "epoch" not in frame or frame["epoch"].isna().any() or frame.empty:
        raise damaged_log(path, "does not tell the epochs")
    return frame


def numbers_of(column: Sequence[object]) -> list[float | None]:
    """A column whose cells are numbers or empty.

    Raises:
        ValueError: They are something else.
    """
    kept: list[float | None] = []
    for value in column:
        if value is not None and not isinstance(value, int | float):
            raise ValueError(f"holds {type(value).__name__} where numbers belong")
        kept.append(value)
    return kept


def damaged_log(path: Path, found: str) -> StoreError:
    """The one error of a log that cannot be used."""
    return StoreError(
        str(path),
        found,
        "the log of a training run",
        "Remove it; the run's states and weights do not need it.",
    )
