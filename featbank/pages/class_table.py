"""Classes by splits as a small table on the terminal: all of few classes, the rarest of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from featbank.file_names import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.lookup.class_table import ClassTable

# More classes than these fill the terminal; then the rarest tell what a probe cannot learn.
_MOST_CLASSES = 12
_RAREST = 5
_FITTED_AND_SCORED = ("train", "val", "test")


def print_classes(classes: ClassTable) -> None:
    """Print how many samples of each class each split holds."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("class" if classes.counts else "", overflow="fold", max_width=40)
    for split in classes.splits:
        table.add_column(split, justify="right", no_wrap=True)
    for name, cells in _rows(classes):
        table.add_row(escape(printable(name)), *cells)
    console = Console(highlight=False)
    # As a table's title it would be folded to the table's width.
    console.print(_title(classes), soft_wrap=True)
    console.print(table)


def _title(classes: ClassTable) -> str:
    words = [f"labels {classes.label_set}" if classes.label_set else "no labels"]
    words += [f"splits {classes.scheme}"] if classes.scheme else []
    words += ["positives of each class"] if classes.is_multilabel else []
    is_cut = len(classes.counts) > _MOST_CLASSES
    words += [f"the {_RAREST} rarest of {len(classes.counts)} classes"] if is_cut else []
    return escape(", ".join(words))


def _rows(classes: ClassTable) -> Iterator[tuple[str, list[str]]]:
    counts = classes.counts
    if len(counts) <= _MOST_CLASSES:
        yield from ((name, _cells(row)) for name, row in counts.items())
    else:
        order = _rarest_first(classes)
        yield from ((name, _cells(counts[name])) for name in order[:_RAREST])
        columns = zip(*(counts[name] for name in order[_RAREST:]), strict=True)
        ranges = [_range(min(column), max(column)) for column in columns]
        yield f"{len(order) - _RAREST} more classes, each", ranges
    if counts and any(classes.without_label):
        yield "without label", _cells(classes.without_label)
    yield (f"samples of {len(counts)} classes" if counts else "samples"), _cells(classes.samples)


def _rarest_first(classes: ClassTable) -> list[str]:
    """Names by their smallest number in a split that is fitted on or scored, then by all."""
    places = [k for k, split in enumerate(classes.splits) if split in _FITTED_AND_SCORED]
    used = [k for k in places if classes.samples[k]] or list(range(len(classes.splits)))

    def rarity(name: str) -> tuple[int, int, str]:
        row = classes.counts[name]
        return min(row[k] for k in used), sum(row), name

    return sorted(classes.counts, key=rarity)


def _cells(row: tuple[int, ...]) -> list[str]:
    return [f"{count:,}" for count in row]


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}-{high:,}"
