"""How many samples of each class each split holds: of a dataset, or of a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from featbank.samples import SPLITS
from featbank.store.schema import CLASS_PREFIX, EXCLUDE, LABEL_PREFIX, SPLIT_PREFIX
from featbank.store.state import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.samples import LabelSet, Samples


@dataclass(frozen=True, kw_only=True)
class ClassTable:
    """Samples by class and split; those that the dataset marks to be left out do not count.

    Attributes:
        label_set: Label set that is counted; '' where there are no labels.
        scheme: Split scheme; '' where there is none.
        is_multilabel: Whether a sample may bear several classes, so that rows overlap.
        splits: S names of splits.
        samples: Number of samples of each split, (S,).
        without_label: Those of them without a known label, (S,).
        counts: (S,) numbers of each class, by its name; of several labels, of its positives.
    """

    label_set: str
    scheme: str
    is_multilabel: bool
    splits: tuple[str, ...]
    samples: tuple[int, ...]
    without_label: tuple[int, ...]
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        """The table as JSON takes it."""
        named = {name: self._by_split(row) for name, row in self.counts.items()}
        return {
            "label_set": self.label_set or None,
            "split_scheme": self.scheme or None,
            "is_multilabel": self.is_multilabel,
            "samples": self._by_split(self.samples),
            "without_label": self._by_split(self.without_label),
            "counts": named,
        }

    def _by_split(self, row: Sequence[int]) -> dict[str, int]:
        return dict(zip(self.splits, row, strict=True))


def dataset_classes(samples: Samples, scheme: str) -> ClassTable:
    """Count the samples of a dataset by its default label set.

    Args:
        samples: The samples.
        scheme: One of their split schemes.
    """
    name = next(iter(samples.labels), "")
    labels: LabelSet | None = samples.labels.get(name)
    return _counted(
        (name, scheme),
        () if labels is None else labels.classes,
        None if labels is None else labels.codes,
        samples.splits[scheme],
        samples.exclude,
    )


def store_classes(path: Path) -> ClassTable:
    """Count the rows of a store, finished or not, by its default label set and split scheme.

    Raises:
        MissingPathError: There is no store at this path.
    """
    attributes = metadata(path)["attributes"]
    name = next(iter(attributes["label_sets"]), "")
    first = next(iter(attributes["split_schemes"]), "")
    scheme = attributes.get("scheme_aliases", {}).get(first, first)
    rows = attributes["recipe"]["dataset"]["samples"]
    split = _array(path, f"{SPLIT_PREFIX}{scheme}") if scheme else None
    classes = _array(path, f"{CLASS_PREFIX}{name}").tolist() if name else ()
    return _counted(
        (name, scheme),
        tuple(str(known) for known in classes),
        _array(path, f"{LABEL_PREFIX}{name}") if name else None,
        np.full(rows, SPLITS.index("unlabelled"), np.int8) if split is None else split,
        _array(path, EXCLUDE) if (path / EXCLUDE).is_dir() else None,
    )


def _array(path: Path, name: str) -> Array:
    return np.asarray(zarr.open_array(path / name, mode="r", zarr_format=3)[...])


def _counted(
    names: tuple[str, str],
    classes: tuple[str, ...],
    codes: Array | None,
    split: NDArray[np.int8],
    exclude: Array | None,
) -> ClassTable:
    kept = np.ones(len(split), dtype=bool) if exclude is None else np.asarray(exclude == "")
    samples = np.bincount(split[kept], minlength=len(SPLITS))
    shown = _shown(samples)
    known = _known(codes, len(split)) & kept
    labelled = np.bincount(split[known], minlength=len(SPLITS))
    counts = _by_class(codes, split, known, len(classes))[:, shown]
    return ClassTable(
        label_set=names[0],
        scheme=names[1],
        is_multilabel=codes is not None and codes.ndim == 2,
        splits=tuple(SPLITS[code] for code in shown),
        samples=tuple(samples[shown].tolist()),
        without_label=tuple((samples - labelled)[shown].tolist()),
        counts={name: tuple(row) for name, row in zip(classes, counts.tolist(), strict=True)},
    )


def _shown(samples: NDArray[np.intp]) -> list[int]:
    """Splits with samples; train, val and test stand together, so that an empty one shows."""
    has_parts = samples[:-1].any()
    return [code for code, count in enumerate(samples) if count or (has_parts and code < 3)]


def _known(codes: Array | None, n: int) -> NDArray[np.bool_]:
    if codes is None:
        return np.zeros(n, dtype=bool)
    return np.asarray(codes >= 0 if codes.ndim == 1 else (codes >= 0).all(axis=1))


def _by_class(
    codes: Array | None, split: NDArray[np.int8], known: NDArray[np.bool_], k: int
) -> NDArray[np.intp]:
    """(K, 4) samples of each class in each split."""
    if codes is None:
        return np.zeros((0, len(SPLITS)), dtype=np.intp)
    if codes.ndim == 2:
        rows = [known & (split == code) for code in range(len(SPLITS))]
        return np.stack([(codes[row] == 1).sum(axis=0) for row in rows], axis=1)
    cells = codes[known].astype(np.intp) * len(SPLITS) + split[known]
    return np.bincount(cells, minlength=k * len(SPLITS)).reshape(k, len(SPLITS))
