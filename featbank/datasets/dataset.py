"""What a dataset is: a cheap record in the catalog, and what opening it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from featbank.bands import Band
    from featbank.image import Array, Grid, Reader
    from featbank.remote import RemoteFile
    from featbank.samples import Samples


@dataclass(frozen=True, kw_only=True)
class DatasetRequest:
    """How to open a dataset.

    Attributes:
        root: Folder that holds the dataset's own published layout; None for procedural datasets.
        chips: Number of chips of a procedural dataset; None for its default.
        splits: Split lists that the user names, a file or a folder of files; None takes those
            that the publisher puts beside the imagery.
        needs_labels: Whether labels are wanted where a folder has them: images beside folders of
            images are then refused, rather than all taken without labels. A folder of images
            without class folders comes without labels in either case.
    """

    root: Path | None = None
    chips: int | None = None
    splits: Path | None = None
    needs_labels: bool = True


class MaskReader(Protocol):
    """Gives label maps by row: picklable, cheap to import, free of torch."""

    def read_mask(self, index: int) -> Array:
        """(H, W) int16 class indices of sample ``index``, -1 unknown.

        Raises:
            DecodeError: The file does not decode, or is missing.
            OSError: The disk or network failed.
        """


@dataclass(frozen=True, kw_only=True)
class Masks:
    """Label maps of a dataset, one size for all.

    Attributes:
        classes: K class names.
        size_px: (H, W).
        reader: Gives the map of a sample by its row.
    """

    classes: tuple[str, ...]
    size_px: tuple[int, int]
    reader: MaskReader


@dataclass(frozen=True, kw_only=True)
class BandStatistics:
    """Mean and standard deviation of bands, as somebody published them for this dataset.

    Attributes:
        values: (mean, std) by band name, in the unit of the stored numbers.
        source: Who published them, for which samples.
    """

    values: Mapping[str, tuple[float, float]]
    source: str


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
        statistics: Published band statistics; None where there are none.
        masks: Label maps; None where there are none.
        notes: What a user must know of this copy, said by ``embed`` beside what it wrote.
        calibration: What the backscatter of radar is per unit area of, ``sigma0``, ``gamma0`` or
            ``beta0``; empty where nobody says.
        splits_from: Where split lists come from, as a sentence, when this copy has none; empty
            where it has.
        fingerprint_of: What its images are known by: ``content``, the bytes of their files;
            ``names``, for a publisher's fixed archive, whose files nobody edits.
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
    statistics: BandStatistics | None = None
    masks: Masks | None = None
    notes: tuple[str, ...] = ()
    calibration: str = ""
    splits_from: str = ""
    fingerprint_of: Literal["content", "names"] = "content"

    def _repr_html_(self) -> str:
        from featbank.datasets._dataset_html import dataset_html

        return dataset_html(self)


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
        takes_splits: Whether ``--splits`` names split lists for it.
        files: What ``--download`` fetches; empty where the user has to fetch it by hand.
        editions: Files of other editions, by name, as ``--edition`` takes it.
        homepage: Where a person finds it.
        expected_samples: Numbers of samples that a whole copy may have (versions differ); empty
            where any number is right.
        caveats: What makes scores on it look better or worse than they are, a sentence each, with
            its source.
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
    takes_splits: bool = False
    files: tuple[RemoteFile, ...] = ()
    editions: Mapping[str, tuple[RemoteFile, ...]] = field(default_factory=dict)
    homepage: str = ""
    expected_samples: tuple[int, ...] = ()
    caveats: tuple[str, ...] = ()
