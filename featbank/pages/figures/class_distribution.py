"""How many chips, and pixels of label maps, each class has in each split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter

from featbank.pages.figures.drawing.needs import no_labels
from featbank.pages.figures.drawing.style import (
    COLOURS,
    SMALL_PT,
    TEXT_PT,
    bare,
    counted,
    headed,
    new_figure,
    wrapped,
)
from featbank.pages.figures.drawing.wording import title_of_store
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.samples import SPLITS
from featbank.store.mask_counts import mask_classes, mask_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.store.reader import Store

# Above this ratio of the largest to the smallest count the small bars vanish on a linear axis.
WIDE = 30
_ROW, _NAME_CHARS = 0.34, 46
# Hatches tell the splits apart where colours do not print.
_LOOKS = {
    "train": (COLOURS[0], ""),
    "val": (COLOURS[1], "////"),
    "test": (COLOURS[2], ""),
    "unlabelled": ("#9a9a9a", ""),
}


def class_distribution(
    counts: Mapping[str, Array],
    classes: Sequence[str],
    *,
    unit: str = "chips",
    title: str = "",
    caption: str = "",
) -> Figure:
    """Draw bars of each class by split, the class of most first.

    Args:
        counts: (K,) counts by split.
        classes: K names.
        unit: What is counted.
        title: What stands above.
        caption: What stands below.

    Example:
        >>> import numpy as np
        >>> counts = {"train": np.array([3, 9]), "test": np.array([1, 2])}
        >>> len(class_distribution(counts, ("water", "wood")).axes)
        1
    """
    return _figure([(unit, counts, classes)], title=title, caption=caption)


def chip_counts(
    store: Store, label_set: str | None = None, split_scheme: str | None = None
) -> dict[str, Array]:
    """Chips (K,) of each class by split, without refused, excluded and unlabelled ones."""
    rows, labels = store.usable(label_set), store.labels(label_set)
    splits, count = store.split(split_scheme), len(store.classes(label_set))
    found = {}
    for split in SPLITS:
        kept = labels[rows & (splits == split)]
        if len(kept):
            is_single = kept.ndim == 1
            found[split] = np.bincount(kept, minlength=count) if is_single else kept.sum(axis=0)
    return found


def pixel_counts(store: Store, split_scheme: str | None = None) -> dict[str, Array]:
    """Pixels (K,) of each class of the label maps by split, of splits that have any."""
    table = mask_counts(store, split_scheme)
    return {split: row for split, row in zip(SPLITS, table, strict=True) if row.any()}


def _figure(
    parts: Sequence[tuple[str, Mapping[str, Array], Sequence[str]]], *, title: str, caption: str
) -> Figure:
    heights = [max(1.0, _ROW * len(classes)) + 0.7 for _, _, classes in parts]
    figure = new_figure(8.2, sum(heights) + 0.9)
    panels = figure.subplots(len(parts), 1, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (unit, counts, classes) in zip(panels, parts, strict=True):
        _panel(axes, counts, classes, unit)
    if any(len(counts) for _, counts, _ in parts):
        panels[0].legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=len(_LOOKS),
            fontsize=SMALL_PT,
            frameon=False,
        )
    headed(figure, title, caption)
    return figure


def _panel(axes: Axes, counts: Mapping[str, Array], classes: Sequence[str], unit: str) -> None:
    bare(axes, grid="x")
    total = np.sum(list(counts.values()), axis=0) if counts else np.zeros(len(classes), int)
    order = np.argsort(-total, kind="stable")
    height = 0.84 / max(len(counts), 1)
    for position, (split, values) in enumerate(counts.items()):
        colour, hatch = _LOOKS[split]
        places = np.arange(len(order)) - 0.42 + (position + 0.5) * height
        axes.barh(places, values[order], height * 0.92, color=colour, hatch=hatch,
                  edgecolor="white", linewidth=0, label=split)  # fmt: skip
    _scale(axes, [v for values in counts.values() for v in values.tolist()])
    names = [wrapped(counted(classes[k], total[k]), _NAME_CHARS) for k in order]
    axes.set_yticks(range(len(order)), names)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    is_log = axes.get_xscale() == "log"
    axes.set_xlabel(f"{unit}, log axis" if is_log else unit, fontsize=TEXT_PT)


def _scale(axes: Axes, values: Sequence[int]) -> None:
    present = [value for value in values if value > 0]
    if present and max(present) > WIDE * min(present):
        axes.set_xscale("log")
        axes.set_xlim(left=0.7 * min(present))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))


def _tick(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or value >= 10 else ""


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    store, name = subject.store, subject.store.label_set_name(subject.label_set)
    chips = chip_counts(store, name, subject.split_scheme)
    parts = [("chips", chips, store.classes(name))]
    if masks := mask_classes(store):
        pixels = pixel_counts(store, subject.split_scheme)
        parts.append(("pixels of label maps", pixels, masks))
    n = int(store.usable(name).sum())
    left_out = len(store) - n
    several = " A chip may bear several labels." if store.labels(name).ndim == 2 else ""
    caption = f"Labels {name}. In brackets: all splits.{several} " + (
        f"{left_out:,} chips without a label, refused or excluded are left out." * (left_out > 0)
    )
    title = title_of_store("Chips of each class", subject, n)
    return _figure(parts, title=title, caption=caption.strip())


SPECS = (
    FigureSpec(
        name="class-distribution",
        title="Class distribution",
        summary="Chips of each class by split, and pixels where label maps are kept",
        missing=no_labels,
        draw=_draw,
    ),
)
