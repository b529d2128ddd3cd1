"""A map as a page on the terminal: what it is, how far to believe it, and purity by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen, named, worded
from featbank.pages.table_style import STYLE, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from featbank.stages.map.purity import Purity
    from featbank.stages.map.run import MapReport


def print_map(report: MapReport, *, console: Console | None = None) -> None:
    """Print what a map shows and how far it is to be believed.

    Args:
        report: The map.
        console: Where to; None takes the terminal.
    """
    console = console or Screen(highlight=False)
    if report.purity is not None:
        console.print(purity_table(report.purity))
    console.print(worded(_caption(report)))
    console.print(worded(_quality(report.map.quality)))
    console.print(worded(report.belief), soft_wrap=True)


def purity_table(purity: Purity) -> Table:
    """One row a class that is borne: chips, purity in the features and on the map, chance."""
    title = f"Share of the {purity.k} nearest chips that bear the class too ({purity.label_set})"
    table = Table(title=title, **STYLE)
    table.add_column("class", overflow="fold")
    for name in ("chips", "features", "map", "by chance"):
        table.add_column(name, justify="right", no_wrap=True)
    columns = (purity.classes, purity.chips, purity.in_features, purity.on_map, purity.chance)
    for name, chips, *shares in zip(*columns, strict=True):
        if chips:
            table.add_row(named(name), f"{chips:,}", *(_share(share) for share in shares))
    means = (_share(purity.means[name]) for name in ("in_features", "on_map", "chance"))
    table.add_section()
    table.add_row("mean of classes", f"{purity.samples:,}", *means)
    return table


def _share(share: float | None) -> str:
    return number(float("nan") if share is None else share)


def _caption(report: MapReport) -> str:
    recipe, fitted = report.map.recipe, int(report.map.is_fitted.sum())
    params = [f"{k} {v}" for k, v in recipe["params"].items() if v is not None]
    parts = [
        f"{report.store.attributes['dataset']} by {report.store.attributes['model']}",
        f"{recipe['projection']} of {recipe['feature']}, layer {recipe['layer']}",
        *([", ".join(params)] if params else []),
        f"seed {recipe['seed']}",
        f"{len(report.map):,} chips",
        *([f"{fitted:,} fitted and the rest placed"] if fitted < len(report.map) else []),
    ]
    return "; ".join(parts) + "."


def _quality(quality: Mapping[str, float | None]) -> str:
    names = ("trustworthiness", "continuity", "overlap")
    told = [f"{name} {_share(quality[name])}" for name in names]
    return f"{', '.join(told)} (k {quality['k']}, {quality['queries']:,} queries)."
