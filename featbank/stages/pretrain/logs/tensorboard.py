"""TensorBoard event files in ``<checkpoint>/tensorboard``; the package itself is not needed."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

from featbank.stages.pretrain.logs._event_file import (
    restart_record,
    scalars_record,
    version_record,
)
from featbank.stages.pretrain.logs.logger import STEP, Logger, LoggerSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.stages.pretrain.logs.logger import LogRequest

FOLDER = "tensorboard"
# Who watches a run sees it this much late.
_FLUSH_S = 5.0


class TensorBoardLog(Logger):
    """Appends each row to an event file of this run.

    Args:
        folder: Where event files are; TensorBoard joins those of one folder.
        start: First step of this run.
    """

    def __init__(self, folder: Path, start: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{now:.6f}.{socket.gethostname()}.{os.getpid()}"
        # A new file: none that stands there, and no link, is written into.
        self._file = (folder / name).open("xb")
        self._file.write(version_record(now))
        if start:
            self._file.write(restart_record(now, start))
        self._flushed = time.monotonic()

    def write(self, row: Mapping[str, float]) -> None:
        """Append a row."""
        scalars = {name: value for name, value in row.items() if name != STEP}
        self._file.write(scalars_record(time.time(), int(row[STEP]), scalars))
        if time.monotonic() - self._flushed > _FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Have all rows in the file."""
        self._file.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """End the file."""
        self._file.close()


def _open(request: LogRequest) -> Logger:
    return TensorBoardLog(request.folder / FOLDER, request.start)


SPECS = (
    LoggerSpec(
        name="tensorboard",
        summary="event files in the checkpoint, for 'tensorboard --logdir'",
        open=_open,
        is_default=True,
    ),
)
