"""What commands print: one object as JSON, or text; progress on stderr when it is a terminal."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from featbank.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def print_json(content: Mapping[str, Any]) -> None:
    """Print one object; numbers that are not finite become null."""
    click.echo(json.dumps(_finite(content), indent=1, default=str))


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def say(text: str, *, lines: bool = False) -> None:
    """Print one line for a person: no character of a name in it acts on the terminal.

    Args:
        text: The line.
        lines: Whether the text is of several lines, whose ends stand.
    """
    click.echo(shown(text, keeps_lines=lines))


def tell(line: str) -> None:
    """Print one line for a person, on stderr; no character of a name in it acts there."""
    # A closed stderr is no reason to fail.
    with suppress(OSError):
        click.echo(shown(line), err=True)


@contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left; silent when stderr is no terminal.

    Args:
        title: What is done.
        unit: What is counted, in the plural.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, rate, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task(shown(title), total=None, rate="")

        def advance(done: int, total: int) -> None:
            speed = bars.tasks[0].speed
            rate = f"{speed:.0f} {unit}/s" if speed else ""
            bars.update(task, completed=done, total=total, rate=rate)

        yield advance
