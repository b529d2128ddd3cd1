"""Progress of work in steps, one bar a step, on stderr when it is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from featbank.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import ProgressColumn, TaskID


@contextmanager
def step_bars(*, counts_bytes: bool) -> Iterator[Callable[[str, int, int | None], None]]:
    """Bars with amount and time left; silent when stderr is no terminal.

    Args:
        counts_bytes: Whether bytes are counted, with their rate, rather than things.
    """
    if not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    texts = (TextColumn("{task.description}", markup=False), BarColumn(), *_amounts(counts_bytes))
    with Progress(*texts, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(shown(step), total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield advance


def _amounts(counts_bytes: bool) -> tuple[ProgressColumn, ...]:
    from rich.progress import DownloadColumn, MofNCompleteColumn, TransferSpeedColumn

    return (DownloadColumn(), TransferSpeedColumn()) if counts_bytes else (MofNCompleteColumn(),)
