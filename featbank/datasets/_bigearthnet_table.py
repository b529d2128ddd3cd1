"""What is known of BigEarthNet's rows, whichever edition told it, and the samples made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._bigearthnet_editions import PATCH_M, S2
from featbank.datasets._crs_domain import place
from featbank.samples import NO_TIME, Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.datasets._bigearthnet_editions import Edition
    from featbank.samples import LabelSet

SCHEME = "official"
LABELS_19, LABELS_43 = "19-class", "43-class"
SNOW, CLOUD, NO_LABEL = "seasonal snow", "cloud or shadow", "no 19-class label"
# Meteorological seasons of the northern hemisphere, by month number modulo 12 over 3.
_SEASONS = np.array(["winter", "spring", "summer", "autumn"], dtype=object)


@dataclass(frozen=True, kw_only=True)
class Table:
    """N rows as label files or metadata describe them.

    Attributes:
        names: (N,) patch names by sensor.
        s2_names: (N,) the Sentinel-2 patch of each row, which both sensors have in common;
            empty where unknown.
        labels: Label sets by name, the default first.
        splits: (N,) codes of the official split.
        has_splits: Whether this copy has split lists.
        exclude: (N,) reasons to leave rows out.
        groups: (N,) acquisitions.
        times: (N,) seconds since 1970-01-01, ``NO_TIME`` unknown.
        centres: (N, 3) easting, northing, EPSG code.
        countries: (N,) names, empty where unknown; None where nobody tells.
        notes: What a user must know of this copy.
    """

    names: Mapping[str, Sequence[str]]
    s2_names: Sequence[str]
    labels: Mapping[str, LabelSet]
    splits: NDArray[np.int8]
    has_splits: bool
    exclude: NDArray[np.object_]
    groups: Sequence[str]
    times: NDArray[np.int64]
    centres: NDArray[np.float64]
    countries: NDArray[np.object_] | None = None
    notes: tuple[str, ...] = ()

    @property
    def ids(self) -> Sequence[str]:
        """Sentinel-2 names where the dataset has Sentinel-2, else Sentinel-1 names."""
        return self.names.get(S2) or next(iter(self.names.values()))


def samples_of(table: Table, edition: Edition) -> Samples:
    """Samples of a table.

    A patch's origin is its sensor's folder and its name, for pairs of both sensors. Its files are
    uncompressed and of one size, so that their sizes would tell nothing, and asking for them
    would cost a dozen calls a patch.
    """
    half = PATCH_M / 2
    boxes = table.centres[:, [0, 1, 0, 1]] + [-half, -half, half, half]
    placed = place(boxes, table.centres[:, 2].astype(np.int64))
    has_places = bool(np.isfinite(placed.lonlat).any())
    names = np.array([f"EPSG:{code}" if code else "" for code in placed.epsg], dtype=object)
    # A row whose Sentinel-2 patch nobody names keeps its own name, which joins with nothing.
    pairs = [pair or name for pair, name in zip(table.s2_names, table.ids, strict=True)]
    meta = {"season": seasons(table.times)}
    if table.countries is not None:
        meta["country"] = table.countries
    return Samples(
        ids=np.array(table.ids, dtype=object),
        origins=np.array(list(_origins(table, edition)), dtype=object),
        labels=table.labels,
        splits={SCHEME: table.splits},
        group=np.array(table.groups, dtype=object),
        pair_id=np.array(pairs, dtype=object),
        lonlat=placed.lonlat if has_places else None,
        bbox=placed.bbox if has_places else None,
        crs=names if has_places else None,
        time=table.times,
        exclude=table.exclude,
        meta=meta,
    )


def _origins(table: Table, edition: Edition) -> Iterable[str]:
    folders = [
        [f"{edition.folders[sensor]}/{name}" for name in names]
        for sensor, names in table.names.items()
    ]
    return map(" ".join, zip(*folders, strict=True))


def seasons(times: NDArray[np.int64]) -> NDArray[np.object_]:
    """(N,) meteorological season of each time, empty where unknown."""
    months = times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    named: NDArray[np.object_] = _SEASONS[months % 12 // 3]
    return np.where(times == NO_TIME, "", named)
