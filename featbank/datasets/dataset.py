"""What a dataset is: a cheap record in the catalog, and what opening it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.bands import Band
    from featbank.image import Grid, Reader
    from featbank.samples import Samples


@dataclass(frozen=True, kw_only=True)
class DatasetRequest:
    """How to open a dataset.

    Attributes:
        root: Folder that holds the dataset's own published layout; None for procedural datasets.
        chips: Number of chips of a procedural dataset; None for its default.
    """

    root: Path | None = None
    chips: int | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """An opened dataset.

    Attributes:
        name: As users type it; the folder's name for a folder of images.
        root: Where the images are; None for procedural datasets.
        bands: All bands, in the order of the dataset's grids.
        grids: How the bands of one chip are laid out in arrays.
        samples: Ids, labels, splits, places.
        reader: Gives the pixels of a sample by its row.
        processing: Processing level in words (for Sentinel-2: level and offset).
        licence: Licence of the imagery.
        citation: How to cite it.
        allows_constant: Whether a chip without any contrast is a true chip.
    """

    name: str
    root: Path | None
    bands: tuple[Band, ...]
    grids: tuple[Grid, ...]
    samples: Samples
    reader: Reader
    processing: str
    licence: str
    citation: str
    allows_constant: bool = False


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A catalog entry: what is known before any file is opened.

    Attributes:
        name: What users type after ``--dataset``.
        title: One line on what it is.
        bands: Bands; empty where only the files tell.
        size: Number of samples, in words.
        processing: Processing level.
        licence: Licence of the imagery.
        citation: How to cite it.
        open: Opens the dataset; raises ``MissingPathError`` where it is not on this machine.
        needs_root: Whether imagery must be on disk.
        default_chips: Number of chips where the dataset is procedural; None elsewhere.
    """

    name: str
    title: str
    bands: tuple[Band, ...]
    size: str
    processing: str
    licence: str
    citation: str
    open: Callable[[DatasetRequest], Dataset] = field(repr=False)
    needs_root: bool = True
    default_chips: int | None = None
