"""What classes and materials of the procedural landscape send back at C band, and how it varies.

Everything is in dB of sigma nought; pairs are (VV, VH).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from featbank.landscape.signatures import CLASS_NAMES, MATERIALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHRUB_START = 0.5
Pair = tuple[float, float]
POLARISATIONS = 2


@dataclass(frozen=True, kw_only=True)
class RadarClass:
    """Backscatter of one land-cover class.

    Attributes:
        name: As in ``signatures.CLASSES``.
        level: At an incidence of 38°.
        per_degree: Change by one degree more of incidence.
        roughness: Deviation by structures of about 40 m: crowns, houses.
        shrubs: What the highest of these structures add, one unit beyond ``SHRUB_START``.
        pools: What the lowest ones take away, in the same way.
        strips: Deviation from strip to strip inside parcels: beds, swaths, rows of hops or trees.
        strip_px: How wide a pair of strips is, in pixels.
        patchiness: Deviation from parcel to parcel: tillage, height of a stand.
        furrows: How much brighter parcels are whose rows face the radar; skewed, of mean 0.
        tone: Deviation over kilometres: season, wind, phenology.
        wetness: Change by one unit more of water in soil and plants.
        greenness: Change by one unit more of green vegetation.
        height_m: What stands above the ground, and casts layover and shadow.
    """

    name: str
    level: Pair
    per_degree: float
    roughness: float
    shrubs: float
    pools: float
    strips: float
    strip_px: float
    patchiness: float
    furrows: float
    tone: float
    wetness: Pair
    greenness: Pair
    height_m: float


# Levels are set by hand to the ranges usual for summer scenes of IW at 38°: water below -20 dB in
# VV, forest -8 to -9 (VH -13 to -14), towns -4 to 0 with their corners, fields and grass between.
# They are no copies of tabled values. Works that measure them: terrain at C band, Ulaby and Dobson
# 1989 (ISBN 978-0-89006-336-1), and the Sentinel-1 Global Backscatter Model, Bauer-Marschallinger
# et al. 2021 (doi:10.48436/n2d1v-gqb91); spruce, beech and oak, Rüetschi, Schaepman and Small 2018
# (doi:10.3390/rs10010055); cereals, maize and rape, Vreugdenhil et al. 2018
# (doi:10.3390/rs10091396) and Harfenmeister et al. 2019 (doi:10.3390/rs11131569).
# All amplitudes and slopes are ours, chosen for the bars of tests/datasets/test_synthetic_bars.py.
RADAR_CLASSES = (
    RadarClass(
        name="water",
        level=(-21.0, -27.5), per_degree=-0.45, patchiness=0.0, furrows=0.0,
        roughness=0.2, shrubs=0.0, pools=0.0, strips=0.0, strip_px=6.0,
        tone=2.5, wetness=(0.0, 0.0), greenness=(0.0, 0.0), height_m=0.0,
    ),
    RadarClass(
        name="conifer forest",
        level=(-9.0, -14.2), per_degree=-0.12, patchiness=0.5, furrows=0.0,
        roughness=3.0, shrubs=0.0, pools=0.0, strips=0.0, strip_px=6.0,
        tone=1.4, wetness=(0.3, 0.3), greenness=(0.1, 0.2), height_m=22.0,
    ),
    RadarClass(
        name="broadleaf forest",
        level=(-8.4, -13.4), per_degree=-0.12, patchiness=0.4, furrows=0.0,
        roughness=0.6, shrubs=0.0, pools=0.0, strips=0.0, strip_px=6.0,
        tone=1.4, wetness=(0.3, 0.3), greenness=(0.1, 0.3), height_m=18.0,
    ),
    RadarClass(
        name="grassland",
        level=(-11.8, -19.0), per_degree=-0.20, patchiness=0.7, furrows=0.0,
        roughness=0.2, shrubs=0.0, pools=0.0, strips=0.0, strip_px=6.0,
        tone=1.7, wetness=(0.8, 0.6), greenness=(-0.2, 0.5), height_m=0.0,
    ),
    RadarClass(
        name="green crop",
        level=(-10.4, -16.8), per_degree=-0.16, patchiness=1.0, furrows=0.0,
        roughness=0.2, shrubs=0.0, pools=0.0, strips=2.6, strip_px=4.0,
        tone=1.7, wetness=(0.5, 0.4), greenness=(-0.4, 0.7), height_m=1.5,
    ),
    RadarClass(
        name="ripe crop",
        level=(-12.6, -18.6), per_degree=-0.18, patchiness=1.0, furrows=0.3,
        roughness=0.2, shrubs=0.0, pools=0.0, strips=2.8, strip_px=6.0,
        tone=1.7, wetness=(0.8, 0.6), greenness=(-0.2, 0.4), height_m=0.8,
    ),
    RadarClass(
        name="bare soil",
        level=(-11.2, -20.4), per_degree=-0.24, patchiness=1.1, furrows=0.8,
        roughness=0.3, shrubs=0.0, pools=0.0, strips=0.4, strip_px=6.0,
        tone=1.8, wetness=(1.4, 1.2), greenness=(-0.1, 0.3), height_m=0.0,
    ),
    RadarClass(
        name="urban",
        level=(-6.0, -13.0), per_degree=-0.10, patchiness=0.6, furrows=0.0,
        roughness=1.6, shrubs=0.0, pools=0.0, strips=0.0, strip_px=6.0,
        tone=1.4, wetness=(0.1, 0.1), greenness=(-0.2, 0.1), height_m=8.0,
    ),
    RadarClass(
        name="wetland",
        level=(-11.2, -18.8), per_degree=-0.20, patchiness=0.7, furrows=0.0,
        roughness=0.4, shrubs=0.0, pools=7.0, strips=0.0, strip_px=6.0,
        tone=1.7, wetness=(-0.9, -0.7), greenness=(0.4, 0.5), height_m=1.0,
    ),
    RadarClass(
        name="heath",
        level=(-11.6, -18.0), per_degree=-0.18, patchiness=0.5, furrows=0.0,
        roughness=0.4, shrubs=7.0, pools=0.0, strips=0.0, strip_px=6.0,
        tone=1.7, wetness=(0.5, 0.4), greenness=(0.0, 0.4), height_m=0.5,
    ),
)  # fmt: skip

# Levels of what stands on plots, in the order of ``signatures.MATERIALS``: walls and frames of
# metal answer as corners do, water and asphalt as mirrors. Ours.
_MATERIAL_LEVELS = {
    "white roof": (-2.0, -11.0),
    "red tiles": (-5.0, -12.0),
    "blue steel": (0.0, -9.0),
    "greenhouse film": (-6.0, -14.0),
    "solar panels": (-4.0, -16.0),
    "burnt ground": (-12.5, -20.5),
    "gravel pit": (-13.0, -21.5),
    "algal pond": (-20.0, -26.0),
    "cast shadow": (-10.0, -15.5),
    "sports track": (-15.0, -22.0),
}


@lru_cache(maxsize=1)
def levels() -> NDArray[np.float32]:
    """(2, K + M) level of the classes, then of the materials, at 38°."""
    pairs = [item.level for item in RADAR_CLASSES]
    pairs += [_MATERIAL_LEVELS[material.name] for material in MATERIALS]
    return np.array(pairs, dtype=np.float32).T.copy()


@lru_cache(maxsize=16)
def amplitudes(name: str) -> NDArray[np.float32]:
    """(2, K) one of the attributes of ``RadarClass``, for VV and VH."""
    by_name = {item.name: getattr(item, name) for item in RADAR_CLASSES}
    values = [by_name[class_name] for class_name in CLASS_NAMES]
    pairs = [value if isinstance(value, tuple) else (value, value) for value in values]
    return np.array(pairs, dtype=np.float32).T.copy()
