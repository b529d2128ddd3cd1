"""``log.parquet`` in the checkpoint: one row a step, whole at every moment."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from featbank.bank.checkpoints import LOG
from featbank.bank.training_log import damaged_log, numbers_of
from featbank.disk import write_atomically
from featbank.errors import FeatbankWarning, StoreError
from featbank.parquet_file import as_parquet, read_parquet
from featbank.stages.pretrain.logs.logger import STEP, Logger, LoggerSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.stages.pretrain.logs.logger import LogRequest


class ParquetLog(Logger):
    """Rows in memory, written anew as a whole with each saved state.

    A run of 600,000 steps with 20 numbers is 100 MB before compression.

    Args:
        path: The file; rows from ``start`` on are left out, since they are computed again.
        start: First step of this run.
    """

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        self._columns = _read(path, start)

    def __len__(self) -> int:
        return len(self._columns[STEP])

    def write(self, row: Mapping[str, float]) -> None:
        """Take a row; a name that is new has no value before."""
        before = len(self)
        for name in row:
            self._columns.setdefault(name, [None] * before)
        for name, values in self._columns.items():
            values.append(row.get(name))

    def flush(self) -> None:
        """Write all rows, whole or not at all.

        Raises:
            OSError: The disk is full or fails; the former file stands.
        """
        import pyarrow as pa

        kinds = {STEP: pa.int64()}
        arrays = {
            name: pa.array(values, kinds.get(name, pa.float64()))
            for name, values in self._columns.items()
        }
        write_atomically(self._path, as_parquet(pa.table(arrays), compression="zstd"))


def _read(path: Path, start: int) -> dict[str, list[float | None]]:
    if not path.is_file():
        return {STEP: []}
    try:
        table = read_parquet(path, lambda found: damaged_log(path, found))
        columns = {name: numbers_of(column) for name, column in table.to_pydict().items()}
        steps = [int(step) for step in columns[STEP] if step is not None]
    except (StoreError, KeyError, ValueError) as error:
        # The run goes on: its states decide, and the log of former steps is told to be lost.
        said = f"{path}: the log of former steps does not read, and begins anew ({error})"
        warnings.warn(said, FeatbankWarning, stacklevel=2)
        return {STEP: []}
    kept = [row for row, step in enumerate(steps) if step < start]
    return {name: [column[row] for row in kept] for name, column in columns.items()}


def _open(request: LogRequest) -> Logger:
    return ParquetLog(request.folder / LOG, request.start)


SPECS = (
    LoggerSpec(
        name="parquet",
        summary="log.parquet in the checkpoint, one row a step",
        open=_open,
        is_default=True,
    ),
)
