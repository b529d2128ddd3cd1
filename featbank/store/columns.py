"""Columns told from acquisition times: year, month, and season by hemisphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.samples import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from featbank.image import Array

    Told = Callable[[NDArray[np.int64], "NDArray[np.float64] | None"], NDArray[np.object_]]

# Meteorological seasons: three whole months each, the first from December on.
_NORTH = np.array(["winter", "spring", "summer", "autumn"], dtype=object)
_SOUTH = np.array(["summer", "autumn", "winter", "spring"], dtype=object)
_MONTHS = np.array(["DJF", "MAM", "JJA", "SON"], dtype=object)


def season(times: NDArray[np.int64], latitude: NDArray[np.float64] | None) -> NDArray[np.object_]:
    """Meteorological season of each time.

    Args:
        times: (N,) seconds since 1970-01-01 UTC, ``NO_TIME`` unknown.
        latitude: (N,) degrees, NaN unknown; None where no sample has a place.

    Returns:
        (N,) ``winter``, ``spring``, ``summer`` or ``autumn`` of the sample's own hemisphere (the
        equator counts as north); where the latitude is unknown the initials of the three months
        (``DJF``, ``MAM``, ``JJA``, ``SON``); '' where the time is unknown.
    """
    quarter = _month_number(times) % 12 // 3
    degrees = np.full(len(times), np.nan) if latitude is None else latitude
    by_place = np.where(degrees < 0, _SOUTH[quarter], _NORTH[quarter])
    return _known(times, np.where(np.isnan(degrees), _MONTHS[quarter], by_place))


def month(times: NDArray[np.int64], _: NDArray[np.float64] | None = None) -> NDArray[np.object_]:
    """(N,) month of each time as ``01`` to ``12``; '' where unknown."""
    return _known(times, np.array([f"{number:02d}" for number in _month_number(times)], object))


def year(times: NDArray[np.int64], _: NDArray[np.float64] | None = None) -> NDArray[np.object_]:
    """(N,) year of each time as four digits; '' where unknown."""
    since_1970 = times.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64)
    return _known(times, np.array([str(1970 + int(number)) for number in since_1970], object))


TIME_COLUMNS: dict[str, Told] = {"season": season, "month": month, "year": year}


def as_text(values: Array) -> NDArray[np.object_]:
    """(N,) values as text, different ones different; '' for what is no number."""
    if values.dtype.kind == "f":
        # The shortest text that gives the number back, as NumPy writes it; 3 rather than 3.0.
        told = ["" if np.isnan(v) else str(v).removesuffix(".0") for v in values]
        return np.array(told, dtype=object)
    return np.array([str(value) for value in values.tolist()], dtype=object)


def _month_number(times: NDArray[np.int64]) -> NDArray[np.int64]:
    months: NDArray[Any] = times.astype("datetime64[s]").astype("datetime64[M]")
    return months.astype(np.int64) % 12 + 1


def _known(times: NDArray[np.int64], told: Array) -> NDArray[np.object_]:
    return np.where(times == NO_TIME, "", told).astype(object)
