"""How far test samples lie from those that a probe is fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.store.reader import Store

    Rows = NDArray[np.intp]

# Semi-major axis in m and squared eccentricity of WGS 84 (NGA.STND.0036, tables 3.1 and 3.5).
_AXIS_M, _ECCENTRICITY_2 = 6_378_137.0, 6.694_379_990_141e-3


@dataclass(frozen=True, kw_only=True)
class Distances:
    """From each test sample to the nearest sample that was fitted on.

    Attributes:
        smallest_m: The smallest, in m; None where places are unknown.
        median_m: The median, in m.
    """

    smallest_m: float | None = None
    median_m: float | None = None


def distances_to(lonlat: NDArray[np.float64] | None, test: Rows, fitted: Rows) -> Distances:
    """Distances between two sets of samples, of those whose place is known.

    Args:
        lonlat: (N, 2) degrees, WGS 84; None where no place is known.
        test: Rows of one set.
        fitted: Rows of the other, among which the nearest is found.
    """
    nearest = nearest_m(lonlat, test, fitted)
    known = nearest[np.isfinite(nearest)]
    if not len(known):
        return Distances()
    return Distances(smallest_m=float(known.min()), median_m=float(np.median(known)))


def together(found: Sequence[Distances]) -> Distances:
    """Of several fits: the smallest of all, and the median of the medians."""
    least = [each.smallest_m for each in found if each.smallest_m is not None]
    medians = [each.median_m for each in found if each.median_m is not None]
    if not least:
        return Distances()
    return Distances(smallest_m=min(least), median_m=float(np.median(medians)))


def nearest_m(lonlat: NDArray[np.float64] | None, rows: Rows, others: Rows) -> NDArray[np.float64]:
    """(n,) geodesic metres from each row to the nearest of the others; NaN where unknown."""
    out = np.full(len(rows), np.nan)
    if lonlat is None:
        return out
    known = np.asarray(np.isfinite(lonlat).all(axis=1))
    here, there = np.flatnonzero(known[rows]), others[known[others]]
    if not len(here) or not len(there):
        return out
    from pyproj import Geod
    from scipy.spatial import cKDTree

    places = lonlat[rows[here]]
    found = cKDTree(_in_space(lonlat[there])).query(_in_space(places), workers=-1)[1]
    near = lonlat[there[found]]
    out[here] = np.asarray(Geod(ellps="WGS84").inv(*places.T, *near.T)[2])
    return out


def outside_buffer(
    store: Store, rows: dict[str, Rows], buffer_m: float
) -> tuple[dict[str, Rows], str]:
    """Rows to fit and choose on that lie no nearer to a test sample than a buffer.

    Samples without a known place are dropped too, since nobody can say how near they lie.

    Args:
        store: Knows the places.
        rows: Rows of ``train``, ``val`` and ``test``.
        buffer_m: Smallest distance that is left, in m.

    Returns:
        The rows, and what was dropped, in words.

    Raises:
        ProbeError: Places are unknown, or no train sample is left.
    """
    lonlat, test = store.lonlat, rows["test"]
    lacking = len(test) if lonlat is None else int((~np.isfinite(lonlat[test])).any(axis=1).sum())
    if lonlat is None or lacking:
        raise ProbeError(
            f"--buffer {buffer_m:g}",
            f"the places of {lacking} of {len(test)} test samples in {store.path} are unknown",
            "a store of georeferenced chips",
            "Leave --buffer out.",
        )
    kept = {name: rows[name][_far(lonlat, rows[name], test, buffer_m)] for name in ("train", "val")}
    if not len(kept["train"]):
        raise ProbeError(
            f"--buffer {buffer_m:g}",
            f"all {len(rows['train'])} train samples of {store.path} lie nearer to test",
            "train samples outside the buffer",
            "Take a smaller buffer, or a scheme of larger blocks with --split-scheme.",
        )
    lost = [
        f"{len(rows[name]) - len(own)} of {len(rows[name])} {name}" for name, own in kept.items()
    ]
    told = f"{' and '.join(lost)} samples within {buffer_m:g} m of a test sample are dropped"
    return {**kept, "test": test}, told


def _far(lonlat: NDArray[np.float64], rows: Rows, test: Rows, buffer_m: float) -> NDArray[np.bool_]:
    # NaN, an unknown place, is not far.
    return np.asarray(nearest_m(lonlat, rows, test) >= buffer_m)


def _in_space(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) metres from the Earth's centre, where the antimeridian and the poles are no edges.

    On the ellipsoid: on a sphere the nearest of two could be the other one.
    """
    lon, lat = np.radians(lonlat).T
    radius = _AXIS_M / np.sqrt(1 - _ECCENTRICITY_2 * np.sin(lat) ** 2)
    across = radius * np.cos(lat)
    up = radius * (1 - _ECCENTRICITY_2) * np.sin(lat)
    return np.stack([across * np.cos(lon), across * np.sin(lon), up], axis=1)
