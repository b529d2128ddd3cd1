"""The rehearsal of a run as a table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from featbank.pages.catalog_table import human_bytes
from featbank.pages.screen import Screen, worded

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN = 5


def print_rehearsal(rehearsal: Mapping[str, Any]) -> None:
    """Print what a run would do and cost."""
    table = Table(
        title="Rehearsal: nothing was written",
        title_justify="left",
        show_header=False,
        box=box.SIMPLE_HEAD,
    )
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rehearsal.items():
        table.add_row(name.replace("_", " "), worded(_in_words(name, value)))
    Screen().print(table)


def _in_words(name: str, value: Any) -> str:  # noqa: ANN401 - any field of a rehearsal
    if name.endswith("bytes"):
        return human_bytes(value)
    if name.endswith("parameters"):
        return f"{value / 1e6:.1f} M"
    if isinstance(value, dict) and name != "refused":
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    if name == "seconds":
        return f"about {value:g} s on this machine, once warm"
    if name == "looked_at":
        return f"{value} chips, spread over all samples"
    if name == "refused":
        few = [f"{sample}: {why}" for sample, why in list(value.items())[:_SHOWN]]
        return "\n".join([f"{len(value)} of them", *few])
    if name == "notes":
        return "\n".join(value) or "none"
    if isinstance(value, list):
        return ", ".join(f"{number:g}" for number in value)
    return str(value)
