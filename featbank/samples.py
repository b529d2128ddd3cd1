"""Samples: ids, labels, splits, places and groups of a dataset's chips, column by column."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from featbank.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ScalarT = TypeVar("ScalarT", bound=np.generic)

SPLITS = ("train", "val", "test", "unlabelled")
TRAIN, VAL, TEST, UNLABELLED = range(4)
UNKNOWN_LABEL = -1
# Reads as "not a time" in NumPy, pandas and xarray.
NO_TIME = int(np.iinfo(np.int64).min)
# What NumPy and pandas write where there is no number, time or value.
_NO_VALUE = {"nan", "NaT", "<NA>"}


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """One nomenclature of labels over all samples.

    Attributes:
        classes: K class names.
        codes: (N,) int32 class indices, -1 unknown; or (N, K) int8 of 0 and 1 for multilabel sets,
            rows of -1 where a sample's labels are unknown.
    """

    classes: tuple[str, ...]
    codes: NDArray[Any]

    @property
    def is_multilabel(self) -> bool:
        """Whether a sample may bear several classes."""
        return self.codes.ndim == 2


@dataclass(frozen=True, kw_only=True)
class Samples:
    """N samples, column by column.

    Attributes:
        ids: (N,) unique strings.
        labels: Label sets by name; the first is the default.
        splits: (N,) int8 codes into ``SPLITS``, by scheme; the first is the default.
        aliases: True name of a scheme by another name of it: ``random-0`` is another name of
            ``stratified-0``. Both stand in ``splits``, with the same rows.
        split_notes: What a reader must know of how a scheme was drawn, by its true name.
        group: (N,) strings, what makes samples dependent; None where nothing is known.
        pair_id: (N,) strings that join datasets whose ids differ; None where absent.
        lonlat: (N, 2) float64 degrees, WGS 84; None where not geo-referenced.
        bbox: (N, 4) float64 of min x, min y, max x, max y in the chip's own CRS, NaN unknown; None
            where no file says.
        crs: (N,) strings such as ``EPSG:32632``, the CRS of ``bbox``, '' unknown; None where no
            file says.
        time: (N,) int64 seconds since 1970-01-01 UTC of acquisition, ``NO_TIME`` unknown; None
            where nothing is known.
        exclude: (N,) strings, '' or the reason to leave the row out.
        meta: Further columns of (N,): numbers, truth values, or texts, '' unknown; dates become
            texts.
        origins: (N,) strings that say where the images come from: relative path and size of the
            files, or the parameters of a procedural image.
        digests: (N,) SHA-256 of what each image is: 64 hexadecimal digits; None before they are
            taken.
        notes: What a user must know of how these columns were read, a sentence each.
    """

    ids: NDArray[Any]
    origins: NDArray[Any]
    labels: Mapping[str, LabelSet] = field(default_factory=dict)
    splits: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    split_notes: Mapping[str, str] = field(default_factory=dict)
    group: NDArray[Any] | None = None
    pair_id: NDArray[Any] | None = None
    lonlat: NDArray[np.float64] | None = None
    bbox: NDArray[np.float64] | None = None
    crs: NDArray[Any] | None = None
    time: NDArray[np.int64] | None = None
    exclude: NDArray[Any] | None = None
    meta: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    digests: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        refuse_duplicates(self.ids)
        meta = {name: _plain_column(name, values) for name, values in self.meta.items()}
        object.__setattr__(self, "meta", meta)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.intp]) -> Samples:
        """The samples at ``rows``, in that order."""
        labels = {name: replace(s, codes=s.codes[rows]) for name, s in self.labels.items()}
        return Samples(
            ids=self.ids[rows],
            origins=self.origins[rows],
            labels=labels,
            splits={name: codes[rows] for name, codes in self.splits.items()},
            aliases=self.aliases,
            split_notes=self.split_notes,
            group=_at(self.group, rows),
            pair_id=_at(self.pair_id, rows),
            lonlat=_at(self.lonlat, rows),
            bbox=_at(self.bbox, rows),
            crs=_at(self.crs, rows),
            time=_at(self.time, rows),
            exclude=_at(self.exclude, rows),
            meta={name: values[rows] for name, values in self.meta.items()},
            notes=self.notes,
            digests=_at(self.digests, rows),
        )

    def true_scheme(self, name: str) -> str:
        """The name of a scheme that says what it keeps apart."""
        true = self.aliases.get(name, name)
        return true if true in self.splits else name


def _plain_column(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """A column as a store keeps it: what is unknown in texts is '', dates are texts.

    Raises:
        DatasetError: It holds neither numbers nor texts nor dates.
    """
    if values.dtype.kind == "M":
        texts = np.datetime_as_string(values).astype(object)
        return np.where(np.isnat(values), "", texts)
    if values.dtype.kind not in "biufOUT":
        raise DatasetError(
            f"column '{name}'",
            f"is of {values.dtype}",
            "numbers, texts or dates",
            "Give its values as texts.",
        )
    if values.dtype.kind != "O" or set(map(type, values.tolist())) <= {str}:
        return values
    return np.array([_text(value) for value in values.tolist()], dtype=object)


def _text(value: object) -> str:
    is_unknown = value is None or (not isinstance(value, str) and str(value) in _NO_VALUE)
    return "" if is_unknown else str(value)


def _at(column: NDArray[ScalarT] | None, rows: NDArray[np.intp]) -> NDArray[ScalarT] | None:
    return None if column is None else column[rows]


def refuse_duplicates(ids: NDArray[Any]) -> None:
    """Raise where two samples bear one id.

    Raises:
        DatasetError: Names the first repeated id.
    """
    # Half a million ids are a small set; sorting copies of them takes ten times its memory.
    if len(set(ids.tolist())) < len(ids):
        values, counts = np.unique(ids.astype(str), return_counts=True)
        repeated = values[counts > 1]
        raise DatasetError(
            str(repeated[0]),
            f"{int(counts[counts > 1][0])} samples bear this id ({len(repeated)} ids repeat)",
            "one sample for each id",
            "Rename or remove the extra files.",
        )
