"""Parcels: fields, stands and building plots, as bricks in a frame that bends with the terrain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.landscape.noise import Window, derive_key, hash_words, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Sides of a parcel (26 × 17 pixels are 4.4 ha, a usual field in southern Germany) and its turn.
_PARCEL_PX = (26.0, 17.0)
_TURN_RAD = 0.45
_BEND_PX = 9.0
# A parish is 6 × 6 parcels; it prefers one crop.
_PARISH = 6
_KEY_LANE, _KEY_PARCEL, _KEY_PARISH = range(3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parcels:
    """Random words of the parcels in a window.

    Attributes:
        parcel: (H, W) word of each pixel's parcel.
        parish: (H, W) word of each pixel's parish.
    """

    parcel: NDArray[np.uint64]
    parish: NDArray[np.uint64]


def parcels(key: int, window: Window, terrain: NDArray[np.float32], *, split: int = 1) -> Parcels:
    """Cut a window into parcels.

    Args:
        key: Which of the independent parcellings.
        window: Where.
        terrain: (H, W) smooth field of variance 1 along which the frame bends.
        split: Each parcel is cut into about split × split.
    """
    along, across = frame(window, terrain)
    u = along * (split / _PARCEL_PX[0])
    v = across * (split / _PARCEL_PX[1])
    lane = np.floor(u).astype(np.int64)
    lanes = np.arange(lane.min(), lane.max() + 1)
    lane -= lanes[0]
    # Each lane is shifted along itself, as bricks are.
    shift = uniform(hash_words([derive_key(key, _KEY_LANE)], lanes, np.zeros(1, dtype=np.int64)))
    place = np.floor(v + shift[0, :, 0][lane]).astype(np.int64)
    places = np.arange(place.min(), place.max() + 1)
    cell = lane * len(places) + (place - places[0])
    words = hash_words([derive_key(key, _KEY_PARCEL)], lanes, places)
    side = _PARISH * split
    parishes = hash_words([derive_key(key, _KEY_PARISH)], lanes // side, places // side)
    return Parcels(parcel=words.ravel()[cell], parish=parishes.ravel()[cell])


def frame(
    window: Window, terrain: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where pixels stand along the parcels' two sides, in pixels; bent with the terrain.

    Args:
        window: Where.
        terrain: (H, W) smooth field of variance 1.

    Returns:
        (H, W) along the long side, and (H, W) along the short one.
    """
    rows, columns = window.rows[:, None], window.columns
    cosine, sine = np.cos(_TURN_RAD), np.sin(_TURN_RAD)
    bend = terrain.astype(np.float64) * _BEND_PX
    return (columns * cosine + rows * sine) + bend, (rows * cosine - columns * sine) + bend
