"""What each model costs, as a table: size, speed by device, peak memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.bank.store_index import store_names
from featbank.lookup.costs import cost_rows, has_cost
from featbank.pages.catalog_table import human_bytes
from featbank.pages.figures.drawing.style import FAINT, GREY, SMALL_PT, headed, new_figure, wrapped
from featbank.pages.figures.figure import FigureOptions, FigureSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject

_ROW, _CHARACTER, _GAP = 0.2, 0.078, 0.25
_WIDEST = 30
_READING = (
    "Chips/s are of whole runs: reading, computing and writing. GFLOP are of one chip, two "
    "operations a multiply-add. Memory is the most that the process held, without its readers; on "
    "device, what tensors took there. A dash: not known, or not logged."
)


def cost_table(rows: Sequence[Mapping[str, Any]], *, title: str = "", caption: str = "") -> Figure:
    """Draw a line a model and device.

    Args:
        rows: As ``featbank.lookup.costs.cost_rows`` gives them, one or more.
        title: What stands above.
        caption: What stands below, before how to read it.
    """
    cells = [cost_header(), *(cost_cells(row) for row in rows)]
    texts = [[wrapped(cell, _WIDEST) for cell in line] for line in cells]
    lines = [max(cell.count("\n") + 1 for cell in line) for line in texts]
    widths = [
        max(len(part) for line in texts for part in line[column].split("\n")) * _CHARACTER + _GAP
        for column in range(len(texts[0]))
    ]
    height = _ROW * (sum(lines) + 0.6 * len(lines))
    figure = new_figure(max(sum(widths) + 0.2, 6.0), height + 1.3)
    axes = figure.add_subplot()
    axes.set(xlim=(0, sum(widths)), ylim=(height, 0))
    axes.set_axis_off()
    _write(axes, texts, widths, lines)
    headed(figure, title, f"{caption} {_READING}".strip())
    return figure


def cost_header() -> list[str]:
    """Names of the columns of ``cost_cells``."""
    return ["model", "dataset", "px", "parameters", "GFLOP", "device", "batch", "chips/s",
            "× CPU", "memory", "on device"]  # fmt: skip


def cost_cells(row: Mapping[str, Any]) -> list[str]:
    """One row as people write it."""
    times = row["times_cpu"]
    device = row["device"] or "-"
    if device == "cpu":
        device = f"CPU, {row['threads']} threads"
    return [
        str(row["model"]),
        str(row["dataset"]),
        "native" if row["image_size"] is None else str(row["image_size"]),
        "-" if row["parameters"] is None else f"{row['parameters'] / 1e6:.1f} M",
        "-" if row["gflop"] is None else f"{row['gflop']:.1f}",
        str(device),
        str(row["batch_size"] or "-"),
        _rate(row["chips_per_second"]),
        "-" if times is None else f"{times:.1f}",
        _bytes(row["peak_bytes"]),
        _bytes(row["peak_device_bytes"]),
    ]


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _bytes(count: int | None) -> str:
    return "-" if count is None else human_bytes(count)


# Columns of words start on the left, those of numbers end on the right.
_LEFT = (0, 1, 5)


def _write(
    axes: Axes, texts: Sequence[Sequence[str]], widths: Sequence[float], lines: Sequence[int]
) -> None:
    top = 0.0
    for number, (line, count) in enumerate(zip(texts, lines, strict=True)):
        height = _ROW * (count + 0.6)
        left = 0.0
        for column, (cell, width) in enumerate(zip(line, widths, strict=True)):
            is_left = column in _LEFT
            axes.text(
                left if is_left else left + width - _GAP,
                top + height / 2,
                cell,
                ha="left" if is_left else "right",
                va="center",
                fontsize=SMALL_PT,
                fontweight="bold" if number == 0 else "normal",
            )
            left += width
        top += height
        axes.axhline(top, color=GREY if number == 0 else FAINT, linewidth=0.8)


def _stores(subject: Subject) -> list[Path]:
    """Stores of the subject's dataset with a run log: what was embedded beside each other."""
    name = store_names(subject.store.path).datasets[0]
    return [path for path in subject.bank.stores(dataset=name) if has_cost(path)]


def _missing(subject: Subject) -> str:
    return "" if _stores(subject) else "a run log beside a store, which 'featbank embed' writes"


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    rows = cost_rows(_stores(subject))
    datasets = ", ".join(sorted({row["dataset"] for row in rows}))
    return cost_table(rows, title=f"Cost: {datasets}")


SPECS = (
    FigureSpec(
        name="cost",
        title="Cost",
        summary="Parameters, GFLOP, chips a second by device and peak memory of each model",
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
