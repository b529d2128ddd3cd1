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
        group: (N,) strings, what makes samples dependent; None where nothing is known.
        pair_id: (N,) strings that join datasets whose ids differ; None where absent.
        lonlat: (N, 2) float64 degrees, WGS 84; None where not geo-referenced.
        time: (N,) int64 seconds since 1970-01-01 UTC of acquisition, ``NO_TIME`` unknown; None
            where nothing is known.
        exclude: (N,) strings, '' or the reason to leave the row out.
        meta: Further columns of (N,).
        origins: (N,) strings that say where the images come from: relative path and size of the
            files, or the parameters of a procedural image.
        digests: (N,) SHA-256 of what each image is: 64 hexadecimal digits; None before they are
            taken.
    """

    ids: NDArray[Any]
    origins: NDArray[Any]
    labels: Mapping[str, LabelSet] = field(default_factory=dict)
    splits: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)
    group: NDArray[Any] | None = None
    pair_id: NDArray[Any] | None = None
    lonlat: NDArray[np.float64] | None = None
    time: NDArray[np.int64] | None = None
    exclude: NDArray[Any] | None = None
    meta: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    digests: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        refuse_duplicates(self.ids)

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
            group=_at(self.group, rows),
            pair_id=_at(self.pair_id, rows),
            lonlat=_at(self.lonlat, rows),
            time=_at(self.time, rows),
            exclude=_at(self.exclude, rows),
            meta={name: values[rows] for name, values in self.meta.items()},
            digests=_at(self.digests, rows),
        )


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
