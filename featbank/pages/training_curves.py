"""Curves of a training run from its log: loss, scores, what the watch measures, and speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.ticker import LogFormatter

from featbank.bank.checkpoints import CURVES, LOG, read_checkpoint
from featbank.bank.training_log import damaged_log, read_log
from featbank.errors import MissingPathError
from featbank.pages.figures.drawing.style import (
    COLOURS,
    FAINT,
    SMALL_PT,
    TEXT_PT,
    bare,
    headed,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from featbank.pages.figures.drawing.style import DrawnFigure

_WIDTH, _ROW_HEIGHT, _COLUMNS = 8.0, 1.9, 2
# A line through more points than the picture has pixels shows noise; each point is then a mean.
_POINTS = 300
# Up to so many points are shown each: the epochs of a fine-tuning, or the start of a run.
_MARKED = 40
_PARTS, _PROBES = "loss/", "probe/"
_SPLITS = {"train": "training", "val": "validation"}


@dataclass(frozen=True)
class CurvePanel:
    """One pair of axes.

    Attributes:
        title: Above it.
        names: Columns of the log, a line each.
        is_log: Whether its axis is logarithmic.
    """

    title: str
    names: tuple[str, ...]
    is_log: bool = False


def draw_training_curves(checkpoint: Path) -> DrawnFigure:
    """Curves of a checkpoint's run, finished or not.

    Args:
        checkpoint: Its folder.

    Raises:
        MissingPathError: There is no checkpoint, or it has no log.
        StoreError: The log is damaged.
    """
    record = read_checkpoint(checkpoint)
    log = _read(checkpoint / LOG)
    panels = _panels(log)
    if not panels:
        raise damaged_log(checkpoint / LOG, "holds nothing that is drawn")
    rows = -(-len(panels) // _COLUMNS)
    figure = new_figure(_WIDTH, rows * _ROW_HEIGHT + 0.9)
    grid = figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True).flatten()
    for axes, panel in zip(grid, panels, strict=False):
        _draw(axes, panel, log)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[max(len(panels) - _COLUMNS, 0) : len(panels)]:
        axes.set_xlabel("epoch", fontsize=SMALL_PT)
        axes.tick_params(labelbottom=True)
    state = "" if record.is_finished else f", unfinished after {record.steps:,} steps"
    headed(figure, f"{record.name}{state}", _caption(log))
    return figure


def write_training_curves(checkpoint: Path) -> Path:
    """Draw the curves into the checkpoint's folder; give the file.

    Raises:
        MissingPathError: There is no checkpoint, or it has no log.
        UsageError: It cannot be written there.
    """
    return save_figure(draw_training_curves(checkpoint), checkpoint / CURVES)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise MissingPathError(
            str(path),
            "is not there",
            "the log of a training run",
            "Repeat its 'featbank pretrain' or 'featbank finetune'.",
        )
    return read_log(path)


def _panels(log: pd.DataFrame) -> list[CurvePanel]:
    """What the log has something to say of."""
    parts = tuple(name for name in log.columns if name.startswith(_PARTS))
    probes = tuple(name for name in log.columns if name.startswith(_PROBES))
    wanted = (
        CurvePanel("Loss", ("loss", *(parts if len(parts) > 1 else ()))),
        CurvePanel("Score on validation chips", probes),
        CurvePanel("Loss, by epoch", ("train_loss", "val_loss")),
        CurvePanel("Score, by epoch", ("train_score", "val_score")),
        CurvePanel("Effective rank of the features", ("feature_rank",)),
        CurvePanel("Spread of the features, of their size", ("feature_spread",)),
        CurvePanel("Prototypes used", ("prototypes_used",), is_log=True),
        CurvePanel("Entropy of a target, of the uniform one", ("target_flatness",)),
        CurvePanel("Norm of the gradients", ("gradient_norm",), is_log=True),
        CurvePanel("Learning rate", ("lr",)),
        CurvePanel("Chips a second", ("images_per_s", "chips_per_second")),
    )
    shown = [CurvePanel(p.title, _present(log, p.names), p.is_log) for p in wanted]
    return [panel for panel in shown if panel.names]


def _present(log: pd.DataFrame, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name in log.columns and log[name].notna().any())


def _draw(axes: Axes, panel: CurvePanel, log: pd.DataFrame) -> None:
    for number, name in enumerate(panel.names):
        line = log[["epoch", name]].dropna()
        is_rare = name.startswith(_PROBES)
        colour = COLOURS[number % len(COLOURS)]
        if not is_rare and len(line) > _POINTS:
            axes.plot(line["epoch"], line[name], color=FAINT, linewidth=0.5, zorder=1)
        shown = line if is_rare else _thinned(line)
        axes.plot(
            shown["epoch"],
            shown[name],
            color=colour,
            linewidth=1.3,
            marker="o" if is_rare or len(shown) <= _MARKED else "",
            markersize=3,
            label=_label(name),
        )
    if panel.is_log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(LogFormatter())
        axes.yaxis.set_minor_formatter(LogFormatter())
        axes.tick_params(axis="y", which="minor", labelsize=SMALL_PT)
    axes.set_title(panel.title, loc="left", fontsize=TEXT_PT)
    if len(panel.names) > 1:
        axes.legend(fontsize=SMALL_PT, frameon=False)
    bare(axes, grid="y")


def _label(name: str) -> str:
    split, _, _ = name.partition("_")
    return _SPLITS.get(split, name.removeprefix(_PARTS).removeprefix(_PROBES))


def _thinned(line: pd.DataFrame) -> pd.DataFrame:
    """Means of as many runs of rows as are shown."""
    if len(line) <= _POINTS:
        return line
    place = pd.Series(range(len(line)), index=line.index) * _POINTS // len(line)
    return line.groupby(place).mean()


def _caption(log: pd.DataFrame) -> str:
    columns = {"waited_share", "images_per_s"}
    if columns <= set(log):
        waited, rate = 100 * log["waited_share"].mean(), log["images_per_s"].median()
        return (
            f"{len(log):,} steps; {rate:,.0f} chips a second (median), {waited:.0f} % of a step "
            "waiting for chips (mean). Pale lines are single steps, dark ones means of neighbours."
        )
    if "chips_per_second" in log:
        rate = log["chips_per_second"].median()
        return f"{len(log):,} epochs; {rate:,.0f} chips a second (median)."
    return ""
