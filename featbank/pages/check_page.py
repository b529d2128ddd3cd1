"""The check of a dataset's copy as a page on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from featbank.file_names import printable
from featbank.pages.screen import Screen, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from featbank.sources.checking import CheckReport
    from featbank.sources.manifest import ManifestReport

_SHOWN = 20


def print_check(report: CheckReport) -> None:
    """Print what a copy holds, then what is wrong with it, then the verdict."""
    console = Screen(highlight=False)
    console.print(_facts(report))
    _print_faults(console, "Chips refused", report.refused)
    if report.manifest is not None:
        _print_faults(console, "Files altered", report.manifest.wrong)
    style = "bold red" if report.is_broken else "bold green"
    console.print(f"{named(report.dataset)}: [{style}]{named(report.verdict)}[/]", soft_wrap=True)


def _facts(report: CheckReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("dataset", named(report.dataset))
    table.add_row("folder", named(printable(str(report.root or "none, it is computed"))))
    table.add_row("extent", report.extent)
    for scheme, counts in report.splits.items():
        table.add_row(f"split {named(scheme)}", _counted(counts))
    for reason, count in report.excluded.items():
        table.add_row("marked to leave out", f"{count:,}: {named(reason)}")
    if report.manifest is not None:
        table.add_row("manifest", _compared(report.manifest))
    for note in report.notes:
        table.add_row("note", named(note))
    return table


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _compared(manifest: ManifestReport) -> str:
    here = manifest.same + len(manifest.wrong)
    return (
        f"{here:,} of {manifest.listed:,} listed files are here, {manifest.same:,} the same; "
        f"{manifest.unlisted:,} files are not listed"
    )


def _print_faults(console: Console, title: str, faults: Mapping[str, str]) -> None:
    if not faults:
        return
    table = Table(title=f"{title}: {len(faults):,}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("which", overflow="fold", style="bold")
    table.add_column("why", overflow="fold")
    for name, why in list(faults.items())[:_SHOWN]:
        table.add_row(named(name), named(why))
    if len(faults) > _SHOWN:
        table.add_row(f"and {len(faults) - _SHOWN:,} more", "--json lists all")
    console.print(table)
