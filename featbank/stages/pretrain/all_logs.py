"""All loggers of a run as one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from featbank.stages.pretrain.logs import LOGGERS
from featbank.stages.pretrain.logs.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.stages.pretrain.logs.logger import LogRequest


class AllLogs(Logger):
    """Gives each row to every logger: those that every run has, and those asked for.

    Args:
        names: Further loggers, of the catalog.
        request: What they are opened with.

    Raises:
        UnknownNameError: A name that is in no catalog.
        UsageError: A logger whose library is not installed.
    """

    def __init__(self, names: Sequence[str], request: LogRequest) -> None:
        wanted = [spec for spec in LOGGERS.values() if spec.is_default]
        wanted += [LOGGERS[name] for name in names if not LOGGERS[name].is_default]
        self._logs = [spec.open(request) for spec in wanted]

    def write(self, row: Mapping[str, float]) -> None:
        """Give a row to each."""
        for log in self._logs:
            log.write(row)

    def flush(self) -> None:
        """Have all rows on disk."""
        for log in self._logs:
            log.flush()

    def close(self) -> None:
        """End each; one that fails keeps no other open."""
        with contextlib.ExitStack() as stack:
            for log in reversed(self._logs):
                stack.callback(log.close)
