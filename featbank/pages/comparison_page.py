"""A comparison of results as a page on the terminal: who is who, then a sentence a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen, named, worded
from featbank.pages.table_style import LEAVES_OUT, STYLE, metric_name, number
from featbank.stages.compare.verdict import letters, sentence

if TYPE_CHECKING:
    from rich.console import Console

    from featbank.stages.compare.run import Comparison


def print_comparison(comparison: Comparison, *, console: Console | None = None) -> None:
    """Print the results with their values, what each pair tells, and how it was found.

    Args:
        comparison: What was found.
        console: Where to; None takes the terminal.
    """
    console = console or Screen(highlight=False)
    console.print(_values(comparison))
    names = [letters(position) for position in range(len(comparison.names))]
    for pair in comparison.pairs:
        console.print(worded(sentence(pair, names)))
    console.print()
    console.print(worded(_caption(comparison)))


def _values(comparison: Comparison) -> Table:
    wanted = comparison.wanted
    table = Table(title=metric_name(wanted.metric, wanted.average, wanted.threshold), **STYLE)
    table.add_column("", style="bold")
    table.add_column("result", overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("id")
    rows = zip(comparison.names, comparison.values, comparison.results, strict=True)
    for position, (name, value, head) in enumerate(rows):
        cells = named(name), number(value), head.result[:8]
        table.add_row(letters(position), *cells)
    return table


def _caption(comparison: Comparison) -> str:
    options, head = comparison.options, comparison.results[0]
    parts = [
        f"{comparison.n:,} {head.split} samples of {head.dataset} that all of them scored",
        *(
            [f"{comparison.left_out} left out that some lack or hold as another image"]
            if comparison.left_out
            else []
        ),
        f"labels {head.label_set}",
        f"{options.resamples:,} paired resamples of {comparison.units} {comparison.resampled}s",
        f"seed {options.seed}",
    ]
    pairs = len(comparison.pairs)
    corrected = f"P-values are corrected for {pairs} pair{'s' if pairs > 1 else ''}"
    least = min(1.0, 2 * pairs / (options.resamples + 1))
    hint = "" if least < 0.05 else f"\nP-values below {number(least)} need more --resamples."
    spans = f"95 % intervals are of each pair alone and {LEAVES_OUT}"
    return f"{', '.join(parts)}. {spans}. {corrected}.{hint}"
