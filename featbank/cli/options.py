"""Options that several commands share."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from featbank.device import require_device

if TYPE_CHECKING:
    from collections.abc import Callable

CommandT = TypeVar("CommandT", bound="Callable[..., Any]")


def _usable(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    """A bank that need not be there yet, at a path where one can be.

    Raises:
        OSError: A part of the path is a file, a link to itself, too long, or not ours to enter.
    """
    with contextlib.suppress(FileNotFoundError):
        value.stat()
    return value


def bank_option(command: CommandT) -> CommandT:
    """``--bank``: the folder of stores and results."""
    return click.option(
        "--bank",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="FEATBANK_BANK",
        default=Path("bank"),
        show_default="./bank, or $FEATBANK_BANK",
        callback=_usable,
        help="Folder of stores, predictions and results.",
    )(command)


# What numpy, scikit-learn and torch all take.
SEED = click.IntRange(0, (1 << 32) - 1)


def _there(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A device that this machine has; asked before any work, and only where one is named."""
    require_device(value)
    return value


def device_option(command: CommandT) -> CommandT:
    """``--device``: what networks compute on."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        callback=_there,
        help="What computes; auto: a GPU where torch can use one, chosen by CUDA_VISIBLE_DEVICES.",
    )(command)


# Of commands that read imagery: which of it, from where, on what.
_IMAGERY = (
    click.option(
        "--bands",
        default="all",
        show_default=True,
        help="all, rgb, s1, s2, ohs, or names: B04,B03,B02.",
    ),
    click.option("--limit", type=int, help="Take N samples of each split, mixed and repeatable."),
    click.option("--chips", type=int, help="Number of chips of a synthetic dataset."),
    click.option(
        "--max-invalid",
        type=float,
        default=0.01,
        show_default=True,
        help="Share of refused chips above which the run stops.",
    ),
    click.option(
        "--data-root",
        type=click.Path(path_type=Path),
        help="Folder of the named dataset; default: $FEATBANK_DATA/<dataset>.",
    ),
    click.option(
        "--splits",
        type=click.Path(path_type=Path),
        help="Split lists, a file or a folder of them; default: those beside the imagery.",
    ),
    click.option(
        "--unit",
        help="What a folder's numbers are: uint8 (0..255, also stored as float), DN, reflectance; "
        "of radar dB, linear or amplitude, also as sigma0-dB or gamma0-dB.",
    ),
    click.option(
        "--download", is_flag=True, help="Fetch imagery and weights that are not on this machine."
    ),
    click.option("--workers", type=int, help="Reader processes; default: cores less one."),
    device_option,
)


def imagery_options(command: CommandT) -> CommandT:
    """``--bands`` to ``--device``: which imagery is read, from where, on what."""
    option: Callable[..., Any]
    for option in reversed(_IMAGERY):
        command = option(command)
    return command


def cache_option(command: CommandT) -> CommandT:
    """``--cache-gb``: memory for decoded chips."""
    return click.option(
        "--cache-gb",
        type=float,
        default=2.0,
        show_default=True,
        help="Memory in GiB for decoded chips: they are decoded once if all fit, 0 for never.",
    )(command)


def answers(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Repeated ``name=value``, values as they are typed; a name twice must say the same."""
    found: dict[str, str] = {}
    for each in values:
        name, equals, value = each.partition("=")
        if not equals or not name or not value:
            raise click.BadParameter(
                f"'{each}' is no NAME=VALUE; expected such as heads=12.", context, parameter
            )
        if found.setdefault(name, value) != value:
            raise click.BadParameter(
                f"'{name}' is answered twice, {found[name]} and {value}; expected one answer.",
                context,
                parameter,
            )
    return found


def answer_option(command: CommandT) -> CommandT:
    """``--answer``: what a weights file does not tell."""
    return click.option(
        "--answer",
        "answers",
        multiple=True,
        callback=answers,
        metavar="NAME=VALUE",
        help="What the weights do not tell: part=teacher, heads=12, positions=transformers, "
        "reshape=new; may be repeated. 'featbank models NAME' lists a model's.",
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
    """Comma-separated whole numbers, such as ``2,5,-1``; none of an empty text."""
    try:
        return tuple(int(part) for part in value.split(",")) if value else ()
    except ValueError as error:
        raise click.BadParameter(
            f"'{value}' is no list of whole numbers; expected such as 2,5,-1.", context, parameter
        ) from error


def names(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Comma-separated names, such as ``country,season``; none of an empty text."""
    found = tuple(name.strip() for name in value.split(",")) if value else ()
    if "" in found:
        said = f"'{value}' holds an empty name; expected names with a comma between them."
        raise click.BadParameter(said, context, parameter)
    return found


def parameters(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, Any]:
    """Repeated ``name=value``; a value is a number, a JSON value, or else text."""
    found: dict[str, Any] = {}
    for each in values:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.BadParameter(
                f"'{each}' has no '='; expected such as C=1.", context, parameter
            )
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None if text == "none" else text
