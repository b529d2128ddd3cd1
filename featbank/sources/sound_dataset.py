"""What an opened dataset says of itself, held to one another before anything relies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from featbank.bands import Unit
from featbank.errors import DatasetError
from featbank.samples import SPLITS, UNKNOWN_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from featbank.datasets import Dataset
    from featbank.samples import LabelSet, Samples

_REMEDY = "Correct what opens the dataset."


def require_sound(dataset: Dataset) -> Dataset:
    """Refuse a dataset whose columns, labels, splits or bands contradict one another.

    Rows would be joined to other rows' labels, or counted in no class, and nothing later could
    tell.

    Args:
        dataset: As its module opened it.

    Returns:
        The same.

    Raises:
        DatasetError: Names the first contradiction.
    """
    _require_bands(dataset)
    samples = dataset.samples
    for name, column, width in _columns(samples):
        _require_shape(f"{dataset.name}: {name}", column, len(samples), width)
    if not all(isinstance(name, str) for name in samples.ids.tolist()):
        raise DatasetError(f"{dataset.name}: ids", "are no texts", "texts", _REMEDY)
    for name, labels in samples.labels.items():
        _require_labels(f"{dataset.name}: label set '{name}'", labels)
    for name, codes in samples.splits.items():
        subject = f"{dataset.name}: split scheme '{name}'"
        _require_codes(subject, codes, 0, len(SPLITS) - 1, f"codes of {', '.join(SPLITS)}")
    return dataset


def _require_bands(dataset: Dataset) -> None:
    said = [band.name for band in dataset.bands]
    held = [name for grid in dataset.grids for name in grid.bands]
    if said != held or len(set(said)) < len(said):
        raise DatasetError(
            dataset.name,
            f"its bands are {', '.join(said)}, and its grids hold {', '.join(held)}",
            "each band once, in the order of the grids",
            _REMEDY,
        )
    for band in dataset.bands:
        if band.unit not in get_args(Unit):
            raise DatasetError(
                f"{dataset.name}: band '{band.name}'",
                f"is in '{band.unit}'",
                f"one of {', '.join(get_args(Unit))}",
                _REMEDY,
            )


def _columns(samples: Samples) -> Iterator[tuple[str, NDArray[Any], int | None]]:
    """Columns with their names and widths; None where a sample has one value."""
    yield "origins", samples.origins, None
    for name, labels in samples.labels.items():
        width = len(labels.classes) if labels.is_multilabel else None
        yield f"label set '{name}'", labels.codes, width
    for name, codes in samples.splits.items():
        yield f"split scheme '{name}'", codes, None
    for name, values in samples.meta.items():
        yield f"column '{name}'", values, None
    widths = {"lonlat": 2, "bbox": 4}
    for name in ("group", "pair_id", "lonlat", "bbox", "crs", "time", "exclude", "digests"):
        column = getattr(samples, name)
        if column is not None:
            yield name, column, widths.get(name)


def _require_shape(subject: str, column: NDArray[Any], rows: int, width: int | None) -> None:
    expected = (rows,) if width is None else (rows, width)
    if column.shape != expected:
        raise DatasetError(
            subject,
            f"is of shape {column.shape}",
            f"{expected}, a row for each id",
            _REMEDY,
        )


def _require_labels(subject: str, labels: LabelSet) -> None:
    repeated = sorted({name for name in labels.classes if labels.classes.count(name) > 1})
    if repeated:
        raise DatasetError(subject, f"names '{repeated[0]}' twice", "each class once", _REMEDY)
    most = 1 if labels.is_multilabel else len(labels.classes) - 1
    meant = "1 borne, 0 not" if labels.is_multilabel else "indices of its classes"
    _require_codes(subject, labels.codes, UNKNOWN_LABEL, most, f"{meant}, {UNKNOWN_LABEL} unknown")


def _require_codes(subject: str, codes: NDArray[Any], least: int, most: int, meant: str) -> None:
    if codes.dtype.kind not in "iu":
        raise DatasetError(subject, f"is of {codes.dtype}", "whole numbers", _REMEDY)
    if codes.size and not (least <= codes.min() and codes.max() <= most):
        raise DatasetError(
            subject,
            f"holds {codes.min()} to {codes.max()}",
            f"{least} to {most}: {meant}",
            _REMEDY,
        )
