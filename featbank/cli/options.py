"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

CommandT = TypeVar("CommandT", bound="Callable[..., Any]")


def bank_option(command: CommandT) -> CommandT:
    """``--bank``: the folder of stores and results."""
    return click.option(
        "--bank",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="FEATBANK_BANK",
        default=Path("bank"),
        show_default="./bank, or $FEATBANK_BANK",
        help="Folder of stores, predictions and results.",
    )(command)


def output_options(command: CommandT) -> CommandT:
    """``--json`` and ``--debug``."""
    command = click.option(
        "--debug", is_flag=True, help="Show the whole trace of a failure, not its one line."
    )(command)
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
    )(command)


def integers(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    """Comma-separated whole numbers, such as ``2,5,-1``."""
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"'{value}' is no list of whole numbers; expected such as 2,5,-1.", context, parameter
        ) from error


def numbers(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """Comma-separated numbers, such as ``0.665,0.56,0.49``."""
    try:
        return None if value is None else tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"'{value}' is no list of numbers; expected such as 0.665,0.56,0.49.",
            context,
            parameter,
        ) from error
