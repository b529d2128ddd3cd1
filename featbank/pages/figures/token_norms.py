"""``token-norms``: how long patch tokens are, and where the outliers lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import NullLocator

from featbank.lookup.example_samples import query_ids
from featbank.lookup.tokens import (
    has_tokens,
    outlier_norm,
    read_tokens,
    sampled_token_rows,
    tokens_of,
)
from featbank.pages.figures.drawing.style import COLOURS, GREY, SEQUENTIAL, new_figure
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.figures.token_pca import NEEDS_TOKENS
from featbank.pictures.words import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.pages.figures.drawing.style import DrawnFigure
    from featbank.pictures.chip_pictures import ChipPictures
    from featbank.store.reader import Store

# 64 chips of 14 × 14 patches are 12,544 tokens: a share of 0.1 % is a dozen of them.
_SAMPLE = 64
_TILE_PX, _ID_LETTERS, _BINS = 160, 16, 60
_MOST = 6


def token_norms(
    store: Store,
    ids: Sequence[str] = (),
    *,
    pictures: ChipPictures | None = None,
    layer: int | None = None,
    seed: int = 0,
) -> DrawnFigure:
    """A histogram of the norms of patch tokens before the final norm, and maps of some chips.

    Tokens far beyond the rest carry what the whole image holds rather than what their patch does.

    Args:
        store: A store with tokens.
        ids: Chips of the maps, at most six; () draws one of each of some classes.
        pictures: Draws the chips; None leaves them out.
        layer: Block index; None takes the last one stored.
        seed: Of the chips of the histogram.

    Raises:
        StoreError: The store has no tokens, or a sample was refused.
        UnknownNameError: A sample or layer that the store does not hold.

    References:
        Darcet et al. 2024, "Vision Transformers Need Registers", arXiv:2309.16588, figures 3 to 5.
    """
    ids = (list(ids) or query_ids(store, seed=seed))[:_MOST]
    rows = sampled_token_rows(store, _SAMPLE, seed=seed)
    norms = np.linalg.norm(read_tokens(store, rows, layer=layer), axis=-1)
    maps = np.linalg.norm(tokens_of(store, ids, layer=layer, is_normed=False), axis=-1)
    cutoff = outlier_norm(norms)
    block = store.layers[store.layer_position(layer)]
    figure = new_figure(max(1.5 * len(ids), 6.5), 2.6 + (3.4 if pictures is not None else 1.9))
    heights = [2.3, 1.4] if pictures is None else [2.3, 1.4, 1.4]
    grid = figure.add_gridspec(len(heights), len(ids), height_ratios=heights)
    _histogram(figure.add_subplot(grid[0, :]), norms, cutoff, len(rows))
    cells = [figure.add_subplot(grid[-1, column]) for column in range(len(ids))]
    if pictures is not None:
        for column, chip in enumerate(pictures.thumbnails(ids, _TILE_PX)):
            axes = figure.add_subplot(grid[1, column])
            axes.imshow(chip)
            axes.set_axis_off()
    _maps(cells, maps, ids)
    _colour_bar(figure, cells)
    attributes = store.attributes
    figure.suptitle(
        f"{attributes['dataset']}: norms of {attributes['model']}'s patch tokens, block {block}",
        fontsize=11,
    )
    return figure


def _histogram(axes: Axes, norms: Array, cutoff: float, chips: int) -> None:
    share = float((norms > cutoff).mean())
    low, high = float(norms.min()), float(norms.max())
    # Outliers are ten times the rest and more: only a logarithm shows both.
    edges = np.geomspace(max(low, high * 1e-6, 1e-12), max(high, low * 1.01, 1e-11), _BINS)
    axes.hist(norms.ravel(), bins=edges.tolist(), color=COLOURS[0], log=True)
    axes.set_xscale("log")
    ticks = np.geomspace(edges[0], edges[-1], 7).tolist()
    axes.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline(cutoff, color=COLOURS[5], ls="--", lw=1.5)
    axes.set_xlabel(f"norm before the final norm ({norms.size} tokens, {chips} chips)", fontsize=8)
    axes.set_ylabel("tokens", fontsize=8)
    axes.tick_params(labelsize=7)
    told = f"{100 * share:.1f} % beyond {cutoff:.3g} (dashed): outliers"
    axes.set_title(told, fontsize=8, color=GREY, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _colour_bar(figure: DrawnFigure, cells: Sequence[Axes]) -> None:
    image = cells[0].images[0]
    bar = figure.colorbar(image, ax=cells, shrink=0.8)
    low, high = image.get_clim()
    ticks = np.geomspace(low, high, 4).tolist()
    bar.set_ticks(ticks, labels=[f"{tick:.3g}" for tick in ticks], fontsize=7)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("norm", fontsize=8)


def _maps(cells: Sequence[Axes], maps: Array, ids: Sequence[str]) -> None:
    low = max(float(maps.min()), 1e-6)
    scale = LogNorm(low, max(float(maps.max()), low * 1.01))
    for axes, values, sample in zip(cells, maps, ids, strict=True):
        axes.imshow(values, cmap=SEQUENTIAL, norm=scale)
        axes.set_axis_off()
        axes.set_title(shortened(str(sample), _ID_LETTERS), fontsize=7, pad=3)


def _missing(subject: Subject) -> str:
    return "" if has_tokens(subject.store) else NEEDS_TOKENS


def _draw(subject: Subject, options: FigureOptions) -> DrawnFigure:
    return token_norms(subject.store, options.ids, pictures=subject.pictures, seed=options.seed)


SPECS = (
    FigureSpec(
        name="token-norms",
        title="Norms of patch tokens",
        summary="a histogram of token norms with its outliers, and where they lie in some chips",
        missing=_missing,
        draw=_draw,
    ),
)
