"""Options that every pipeline takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--data-root", type=_PATH, help="Folder of the imagery."),
    click.option("--weights", help="Weights file or hub id; default: the publisher's own."),
    click.option("--limit", type=int, help="Samples of each split to take; default: all."),
    click.option("--image-size", type=int, help="Side in pixels; default: the backbone's own."),
    click.option("--bank", type=_PATH, default=Path("bank"), show_default=True),
    click.option("--out", type=_PATH, help="Folder of figures, tables and pages; default: in it."),
)


def study_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options, the first on top."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def given(**options: Any) -> dict[str, Any]:  # noqa: ANN401
    """The options that the user gave a value; the others keep their defaults."""
    return {name: value for name, value in options.items() if value is not None}
