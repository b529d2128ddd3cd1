"""The comparison of two stores as a page on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen, named, worded
from featbank.pages.table_style import STYLE, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.stages.diff.records import FeatureDistance, SampleOverlap
    from featbank.stages.diff.store_diff import StoreDiff

_BY = {"sample_id": "sample id", "pair_id": "pair id"}


def print_diff(diff: StoreDiff) -> None:
    """Print which stores, why they differ, which samples they share, how far apart; the verdict."""
    console = Screen(highlight=False)
    for side, path in (("A", diff.first), ("B", diff.second)):
        console.print(f"[bold]{side}[/]  {named(path)}", soft_wrap=True)
    if diff.recipe or diff.labels or diff.environment:
        console.print(_why(diff))
    console.print(_samples(diff.samples))
    console.print(_how_far(diff))
    for line in _remarks(diff):
        console.print(worded(line))
    console.print(f"[bold]{named(diff.verdict)}[/]", soft_wrap=True)


def _why(diff: StoreDiff) -> Table:
    table = Table(title="What differs", **STYLE)
    table.add_column("", overflow="fold", style="bold", ratio=4)
    table.add_column("A", overflow="fold", ratio=4)
    table.add_column("B", overflow="fold", ratio=4)
    for items in (diff.recipe, diff.labels, diff.environment):
        for item in items:
            table.add_row(*map(named, (item.name, item.first, item.second)))
        table.add_section()
    return table


def _samples(samples: SampleOverlap) -> Table:
    table = Table(title=f"Samples, joined on {_BY[samples.by]}", **STYLE)
    for title in ("in both", "compared", "only A", "only B", "refused by A", "refused by B"):
        table.add_column(title, justify="right")
    counts = (
        samples.both,
        samples.valid,
        samples.first_only,
        samples.second_only,
        samples.refused_first,
        samples.refused_second,
    )
    table.add_row(*(f"{count:,}" for count in counts))
    return table


def _how_far(diff: StoreDiff) -> Table:
    table = Table(title="How far apart", **STYLE)
    table.add_column("feature", overflow="fold")
    titles = ("layer", "D", "largest", "cosine", "lowest", "CKA", "neighbours")
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for item in diff.features:
        table.add_row(item.feature, item.layer, *_cells(item))
    return table


def _cells(item: FeatureDistance) -> list[str]:
    dims = str(item.dims[0]) if item.dims[0] == item.dims[1] else "{}|{}".format(*item.dims)
    largest = "-" if item.max_abs is None else f"{item.max_abs:.1e}"
    cosines = (_near_one(value) for value in (item.mean_cosine, item.lowest_cosine))
    return [dims, largest, *cosines, number(item.cka), number(item.overlap)]


def _near_one(value: float | None) -> str:
    """A cosine: three decimals, or how far from 1 where those would hide it.

    Example:
        >>> _near_one(0.25), _near_one(1 - 3e-6), _near_one(1.0)
        ('.250', '1-3e-06', '1.000')
    """
    if value is None:
        return "-"
    gap = 1 - value
    # Rounding of float64 sums leaves less than this.
    return f"1-{gap:.0e}" if 1e-12 < gap < 5e-4 else number(value)


def _remarks(diff: StoreDiff) -> Iterator[str]:
    yield (
        "Largest: greatest absolute difference. Cosine, lowest: mean and lowest over samples. "
        "CKA: linear."
    )
    taken = diff.features[0].neighbours
    yield f"Neighbours: share of the {taken} nearest by cosine that both agree on."
    if diff.samples.valid < max(max(item.dims) for item in diff.features):
        yield "Fewer samples than dimensions: CKA is high for unrelated features too."
    apart = [item for item in diff.features if item.lowest_sample and not item.is_equal]
    if apart:
        worst = min(apart, key=lambda item: item.lowest_cosine or 0.0)
        yield f"Lowest cosine: sample {worst.lowest_sample}, {worst.feature}, layer {worst.layer}."
