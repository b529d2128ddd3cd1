"""Land-cover classes of the procedural landscape: reflectance spectra and how they vary.

Spectra stand on wavelength anchors, so any optical sensor can be sampled from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.bands import Band

_SAMPLES_OF_A_BAND = 9


@dataclass(frozen=True, kw_only=True)
class CoverClass:
    """One land-cover class.

    Attributes:
        name: As label sets print it.
        reflectance: Surface reflectance at ``ANCHORS_UM``, 0 to 1.
        grain: Relative brightness deviation from pixel to pixel (white).
        roughness: The same for structures of about 40 m: crowns, houses, tussocks.
        patchiness: The same from parcel to parcel or stand to stand.
        tone: The same over kilometres: season, soil, turbidity.
        greenness: Deviation of green vegetation's share, along ``GREENING``.
        wetness: Deviation of water content, along ``WETTING``.
    """

    name: str
    reflectance: tuple[float, ...]
    grain: float
    roughness: float
    patchiness: float
    tone: float
    greenness: float
    wetness: float


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a plot may bear: a roof, a pit, a panel.

    Attributes:
        name: In words.
        reflectance: Surface reflectance at ``ANCHORS_UM``, 0 to 1.
    """

    name: str
    reflectance: tuple[float, ...]


ANCHORS_UM = (
    *(0.44, 0.49, 0.56, 0.61, 0.665, 0.705, 0.74, 0.78, 0.84, 0.87, 0.945),
    *(1.25, 1.61, 2.20, 2.25),
)

# Shapes after the USGS Spectral Library Version 7 (Kokaly et al. 2017, doi:10.3133/ds1035):
# lake water, conifer and deciduous stands, lawn and dry grass, soils, asphalt and roofing, marsh.
# Rounded by hand to what a 10 m pixel with its shade and litter shows at surface level; they are
# no copies of library entries. Amplitudes are ours: chosen for the bars of
# tests/datasets/test_synthetic_bars.py.
CLASSES = (
    CoverClass(
        name="water",
        reflectance=(
            *(0.048, 0.050, 0.046, 0.032, 0.025, 0.022, 0.017, 0.016, 0.014, 0.013, 0.011),
            *(0.006, 0.005, 0.004, 0.004),
        ),
        grain=0.05, roughness=0.03, patchiness=0.00, tone=0.69, greenness=0.013, wetness=0.00,
    ),
    CoverClass(
        name="conifer forest",
        reflectance=(
            *(0.019, 0.022, 0.032, 0.027, 0.024, 0.044, 0.112, 0.150, 0.178, 0.188, 0.184),
            *(0.165, 0.068, 0.030, 0.029),
        ),
        grain=0.07, roughness=0.12, patchiness=0.15, tone=0.54, greenness=0.065, wetness=0.30,
    ),
    CoverClass(
        name="broadleaf forest",
        reflectance=(
            *(0.020, 0.026, 0.056, 0.040, 0.027, 0.084, 0.250, 0.320, 0.350, 0.362, 0.345),
            *(0.355, 0.180, 0.080, 0.076),
        ),
        grain=0.06, roughness=0.10, patchiness=0.15, tone=0.54, greenness=0.065, wetness=0.30,
    ),
    CoverClass(
        name="grassland",
        reflectance=(
            *(0.034, 0.044, 0.082, 0.074, 0.060, 0.118, 0.240, 0.285, 0.312, 0.325, 0.312),
            *(0.355, 0.245, 0.135, 0.130),
        ),
        grain=0.03, roughness=0.03, patchiness=0.15, tone=0.51, greenness=0.078, wetness=0.30,
    ),
    CoverClass(
        name="green crop",
        reflectance=(
            *(0.028, 0.036, 0.070, 0.048, 0.034, 0.088, 0.310, 0.420, 0.470, 0.482, 0.450),
            *(0.450, 0.260, 0.130, 0.124),
        ),
        grain=0.025, roughness=0.02, patchiness=0.18, tone=0.51, greenness=0.078, wetness=0.30,
    ),
    CoverClass(
        name="ripe crop",
        reflectance=(
            *(0.058, 0.078, 0.120, 0.150, 0.172, 0.200, 0.228, 0.250, 0.275, 0.286, 0.290),
            *(0.365, 0.350, 0.235, 0.228),
        ),
        grain=0.025, roughness=0.02, patchiness=0.18, tone=0.6, greenness=0.065, wetness=0.60,
    ),
    CoverClass(
        name="bare soil",
        reflectance=(
            *(0.062, 0.076, 0.105, 0.128, 0.146, 0.160, 0.174, 0.188, 0.205, 0.215, 0.226),
            *(0.285, 0.325, 0.285, 0.280),
        ),
        grain=0.04, roughness=0.03, patchiness=0.20, tone=0.72, greenness=0.039, wetness=0.80,
    ),
    CoverClass(
        name="urban",
        reflectance=(
            *(0.098, 0.108, 0.120, 0.128, 0.134, 0.142, 0.158, 0.168, 0.178, 0.183, 0.188),
            *(0.210, 0.212, 0.190, 0.186),
        ),
        grain=0.12, roughness=0.12, patchiness=0.12, tone=0.6, greenness=0.052, wetness=0.10,
    ),
    CoverClass(
        name="wetland",
        reflectance=(
            *(0.034, 0.040, 0.062, 0.058, 0.050, 0.080, 0.130, 0.152, 0.170, 0.175, 0.165),
            *(0.140, 0.092, 0.052, 0.050),
        ),
        grain=0.06, roughness=0.08, patchiness=0.15, tone=0.6, greenness=0.065, wetness=0.60,
    ),
    CoverClass(
        name="heath",
        reflectance=(
            *(0.028, 0.035, 0.052, 0.060, 0.062, 0.088, 0.135, 0.160, 0.185, 0.196, 0.205),
            *(0.255, 0.225, 0.145, 0.140),
        ),
        grain=0.06, roughness=0.10, patchiness=0.15, tone=0.6, greenness=0.065, wetness=0.60,
    ),
)  # fmt: skip
CLASS_NAMES = tuple(cover.name for cover in CLASSES)

# What stands on plots and belongs to no class. Shapes after the same library's chapter on
# artificial materials, rounded by hand; albedo differs widely within each kind.
MATERIALS = (
    Material(
        name="white roof",
        reflectance=(
            *(0.66, 0.76, 0.81, 0.83, 0.84, 0.84, 0.83, 0.82, 0.81, 0.80, 0.79),
            *(0.72, 0.64, 0.50, 0.48),
        ),
    ),
    Material(
        name="red tiles",
        reflectance=(
            *(0.06, 0.07, 0.10, 0.21, 0.27, 0.29, 0.31, 0.32, 0.33, 0.34, 0.36),
            *(0.42, 0.44, 0.42, 0.42),
        ),
    ),
    Material(
        name="blue steel",
        reflectance=(
            *(0.30, 0.33, 0.20, 0.12, 0.11, 0.14, 0.28, 0.36, 0.40, 0.41, 0.42),
            *(0.46, 0.44, 0.38, 0.37),
        ),
    ),
    Material(
        name="greenhouse film",
        reflectance=(
            *(0.34, 0.38, 0.42, 0.42, 0.41, 0.45, 0.56, 0.60, 0.62, 0.62, 0.60),
            *(0.55, 0.38, 0.26, 0.24),
        ),
    ),
    Material(
        name="solar panels",
        reflectance=(
            *(0.07, 0.06, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.06, 0.06, 0.08),
            *(0.28, 0.30, 0.20, 0.19),
        ),
    ),
    Material(
        name="burnt ground",
        reflectance=(
            *(0.03, 0.03, 0.04, 0.04, 0.04, 0.05, 0.05, 0.06, 0.07, 0.07, 0.08),
            *(0.12, 0.19, 0.22, 0.22),
        ),
    ),
    Material(
        name="gravel pit",
        reflectance=(
            *(0.22, 0.26, 0.33, 0.38, 0.41, 0.43, 0.44, 0.45, 0.46, 0.47, 0.48),
            *(0.52, 0.54, 0.48, 0.47),
        ),
    ),
    Material(
        name="algal pond",
        reflectance=(
            *(0.03, 0.04, 0.11, 0.06, 0.05, 0.13, 0.09, 0.08, 0.07, 0.06, 0.03),
            *(0.01, 0.01, 0.00, 0.00),
        ),
    ),
    Material(
        name="cast shadow",
        reflectance=(
            *(0.03, 0.02, 0.02, 0.02, 0.01, 0.02, 0.03, 0.03, 0.04, 0.04, 0.04),
            *(0.03, 0.02, 0.01, 0.01),
        ),
    ),
    Material(
        name="sports track",
        reflectance=(
            *(0.05, 0.05, 0.06, 0.15, 0.24, 0.25, 0.26, 0.26, 0.27, 0.27, 0.28),
            *(0.20, 0.16, 0.12, 0.12),
        ),
    ),
)

# What one unit more of green vegetation adds: about grassland in full growth less dry grass.
GREENING = (
    *(-0.03, -0.04, -0.03, -0.07, -0.12, -0.06, 0.08, 0.16, 0.20, 0.20, 0.18),
    *(0.10, -0.16, -0.16, -0.16),
)
# The relative darkening by one unit more of water: weak in the visible, strong beyond 1.4 µm.
WETTING = (
    *(0.10, 0.10, 0.11, 0.12, 0.13, 0.13, 0.14, 0.14, 0.15, 0.15, 0.20),
    *(0.26, 0.45, 0.60, 0.60),
)


def sample_spectra(
    spectra: Sequence[Sequence[float]], bands: Sequence[Band]
) -> NDArray[np.float32]:
    """Spectra as a sensor sees them: the mean over each band's width.

    Args:
        spectra: K spectra at ``ANCHORS_UM``.
        bands: C bands with a centre wavelength; a width of None counts as 0.

    Returns:
        (K, C) values.
    """
    centre = np.array([band.wavelength_um or 0.0 for band in bands])
    width = np.array([band.bandwidth_um or 0.0 for band in bands])
    offsets = (np.arange(_SAMPLES_OF_A_BAND) + 0.5) / _SAMPLES_OF_A_BAND - 0.5
    places = centre + width * offsets[:, None]
    sampled = [np.interp(places, ANCHORS_UM, spectrum).mean(axis=0) for spectrum in spectra]
    return np.array(sampled, dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Signatures:
    """All classes sampled at C bands.

    Attributes:
        reflectance: (K + M, C) mean reflectance of the classes, then of the materials.
        greening: (C,) change by one unit of greenness.
        wetting: (C,) relative darkening by one unit of wetness.
    """

    reflectance: NDArray[np.float32]
    greening: NDArray[np.float32]
    wetting: NDArray[np.float32]


@lru_cache(maxsize=16)
def signatures(bands: tuple[Band, ...]) -> Signatures:
    """The classes' signatures at ``bands``."""
    spectra = [cover.reflectance for cover in CLASSES] + [item.reflectance for item in MATERIALS]
    sampled = sample_spectra([*spectra, GREENING, WETTING], bands)
    return Signatures(reflectance=sampled[:-2], greening=sampled[-2], wetting=sampled[-1])
