"""Opening a dataset by catalog name or by path, with its split schemes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.datasets import DATASETS, Dataset, DatasetRequest
from featbank.datasets.splits import with_splits
from featbank.errors import DatasetError, MissingPathError, UsageError
from featbank.sources.local_files import data_folder, missing_dataset
from featbank.sources.sound_dataset import require_sound

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.datasets import DatasetSpec

    # Takes the step, bytes done, and bytes in all; the latter None where nobody knows.
    FetchProgress = Callable[[str, int, int | None], None]


def open_dataset(
    name: str,
    *,
    data_root: Path | None = None,
    chips: int | None = None,
    splits: Path | None = None,
    download: bool = False,
    needs_labels: bool = True,
    progress: FetchProgress | None = None,
) -> Dataset:
    """Open a dataset.

    Args:
        name: Catalog name, or path of a folder of images.
        data_root: Folder with the named dataset's own published layout; the default is
            ``$FEATBANK_DATA/<name>``.
        chips: Number of chips of a procedural dataset, at least 1.
        splits: Split lists, a file or a folder; None takes those beside the imagery.
        download: Whether to fetch a named dataset that is not there.
        needs_labels: Whether a folder of images whose labels cannot be told is refused; one
            without class folders has none in either case.
        progress: Takes the step of a download, its bytes done and in all.

    Raises:
        UnknownNameError: Neither in the catalog nor a folder.
        MissingPathError: The imagery is not on this machine.
        DatasetError: What it says of itself is contradictory.
        UsageError: ``chips`` for a dataset that is not procedural, or ``splits`` for one that
            takes none.
    """
    spec = dataset_spec(name)
    _require_taken(spec, name, chips, splits)
    root = Path(name) if _is_path(name) else _root(spec, data_root, download)
    request = DatasetRequest(root=root, chips=chips, splits=splits, needs_labels=needs_labels)
    is_offered = download and bool(spec.files)
    dataset = _fetched(spec, request, progress) if is_offered else spec.open(request)
    _require_name(dataset, spec)
    samples = with_splits(require_sound(dataset).samples)
    # Who needs no labels asks for no splits either: what they lack is not said to them.
    told = samples.notes if needs_labels else dataset.samples.notes
    return replace(dataset, samples=samples, notes=(*dataset.notes, *told))


def dataset_spec(name: str) -> DatasetSpec:
    """The catalog entry that a name or a folder's path means.

    Raises:
        UnknownNameError: Neither in the catalog nor a folder.
    """
    return DATASETS["folder"] if _is_path(name) else DATASETS[name]


def _fetched(spec: DatasetSpec, request: DatasetRequest, progress: FetchProgress | None) -> Dataset:
    """The dataset, fetched first unless what is on disk already opens: also another edition."""
    from featbank.sources.fetching import fetch_dataset

    try:
        return spec.open(request)
    except (MissingPathError, DatasetError):
        # A copy of another edition that does not open is to be repaired, not mixed with this one.
        if _has_other_edition(spec, request.root):
            raise
        fetch_dataset(spec.name, request.root, progress)
        return spec.open(request)


def _has_other_edition(spec: DatasetSpec, root: Path | None) -> bool:
    files = (file for edition in spec.editions.values() for file in edition)
    return root is not None and any(file.makes and (root / file.makes).exists() for file in files)


def _require_taken(spec: DatasetSpec, name: str, chips: int | None, splits: Path | None) -> None:
    if chips is not None and spec.default_chips is None:
        raise UsageError(
            f"--chips {chips}",
            f"dataset '{name}' has its own number of samples",
            "a procedural dataset such as synthetic-s2",
            "Leave --chips out; --limit takes a part.",
        )
    if splits is not None and not spec.takes_splits:
        raise UsageError(
            f"--splits {splits}",
            f"dataset '{name}' takes no split lists",
            "a dataset whose publisher gives lists, such as bigearthnet-s1",
            "Leave --splits out.",
        )


def _require_name(dataset: Dataset, spec: DatasetSpec) -> None:
    """A named dataset's stores lie under its name, and commands are rebuilt of it."""
    if spec.name not in (dataset.name, "folder"):
        raise DatasetError(
            f"dataset '{spec.name}'",
            f"calls itself '{dataset.name}' once it is open",
            "one name in its record and when it is open",
            "Correct what opens the dataset.",
        )


def _is_path(name: str) -> bool:
    return name not in DATASETS and (os.sep in name or Path(name).is_dir())


def _root(spec: DatasetSpec, data_root: Path | None, download: bool) -> Path | None:
    if not spec.needs_root:
        return None
    root = data_folder(spec, data_root)
    if not download and not root.is_dir():
        raise missing_dataset(spec, root)
    return root
