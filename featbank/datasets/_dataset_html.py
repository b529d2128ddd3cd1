"""An opened dataset as a notebook shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.record_html import (
    Html,
    Number,
    counts_text,
    fold_html,
    number_html,
    record_html,
    table_html,
)
from featbank.samples import SPLITS

if TYPE_CHECKING:
    import numpy as np

    from featbank.datasets.dataset import Dataset
    from featbank.samples import LabelSet

_BANDS = ("band", "wavelength (µm)", "resolution (m)", "unit", "grid")


def dataset_html(dataset: Dataset) -> Html:
    """The dataset in HTML; no image is read.

    Args:
        dataset: An opened dataset.
    """
    samples = dataset.samples
    facts = {
        "samples": len(samples),
        "chips": ", ".join(f"{grid.name} {_size(grid.size_px)}" for grid in dataset.grids),
        "labels": ", ".join(_label_set(n, s) for n, s in samples.labels.items()) or "none",
        "splits": "; ".join(f"{n}: {_counts(codes)}" for n, codes in samples.splits.items()),
        "processing": dataset.processing,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "images": dataset.root,
        "notes": " ".join(dataset.notes),
    }
    return record_html(f"Dataset: {dataset.name}", facts, [_bands(dataset)])


def _size(size_px: tuple[int, int] | None) -> str:
    return "of several sizes" if size_px is None else f"{size_px[0]} × {size_px[1]} px"


def _label_set(name: str, found: LabelSet) -> str:
    several = ", several a sample" if found.is_multilabel else ""
    return f"{name} ({len(found.classes)} classes{several})"


def _counts(codes: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> str:
    return counts_text({name: int((codes == code).sum()) for code, name in enumerate(SPLITS)})


def _bands(dataset: Dataset) -> Html:
    grid_of = {band: grid.name for grid in dataset.grids for band in grid.bands}
    rows = [
        (
            band.name,
            None if band.wavelength_um is None else number_html(band.wavelength_um, places=4),
            None if band.gsd_m is None else Number(f"{band.gsd_m:g}"),
            band.unit,
            grid_of.get(band.name, ""),
        )
        for band in dataset.bands
    ]
    return fold_html(f"{len(rows)} bands", table_html(_BANDS, rows))
