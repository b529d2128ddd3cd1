"""``log.parquet`` in the checkpoint: one row a step, whole at every moment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from featbank.bank.checkpoints import LOG
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
        from pyarrow import parquet

        kinds = {STEP: pa.int64()}
        arrays = {
            name: pa.array(values, kinds.get(name, pa.float64()))
            for name, values in self._columns.items()
        }
        hidden = self._path.with_name(f".{self._path.name}.{os.getpid()}.partial")
        try:
            parquet.write_table(pa.table(arrays), hidden, compression="zstd")
            os.replace(hidden, self._path)
        finally:
            hidden.unlink(missing_ok=True)


def _read(path: Path, start: int) -> dict[str, list[float | None]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, filters=[(STEP, "<", start)])
    except (FileNotFoundError, pa.ArrowInvalid):
        return {STEP: []}
    columns: dict[str, list[float | None]] = table.to_pydict()
    return columns


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
