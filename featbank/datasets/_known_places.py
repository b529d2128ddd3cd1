"""Places that samples are given by whoever made them: what is on the globe, and which are one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.samples import Samples

_MOST_DEGREES = (180.0, 90.0)


def with_known_places(samples: Samples) -> Samples:
    """Samples whose places are all on the globe; others become unknown, and that is said.

    Args:
        samples: Any; returned as they are where no place is off the globe.
    """
    if samples.lonlat is None:
        return samples
    lonlat = np.asarray(samples.lonlat, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        is_beyond = np.any(np.abs(lonlat) > _MOST_DEGREES, axis=1)
    is_off = np.asarray(is_beyond & ~np.isnan(lonlat).any(axis=1))
    if not is_off.any():
        return samples
    first = samples.ids[np.flatnonzero(is_off)[0]]
    note = (
        f"{int(is_off.sum())} of {len(samples)} samples bear a longitude outside ±180° or a "
        f"latitude outside ±90°, the first is '{first}': they have no place"
    )
    return replace(
        samples,
        lonlat=np.where(is_off[:, None], np.nan, lonlat),
        notes=(*samples.notes, note),
    )


def one_name_each(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in degrees, those that have many names under one.

    A pole has every longitude, and the antimeridian is 180° and -180°.

    Args:
        lonlat: (N, 2) degrees; NaN unknown.
    """
    lon, lat = lonlat.T
    lon = np.where(lon == _MOST_DEGREES[0], -_MOST_DEGREES[0], lon)
    lon = np.where(np.abs(lat) == _MOST_DEGREES[1], 0.0, lon)
    return np.stack([lon, lat], axis=1)
