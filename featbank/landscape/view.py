"""How an optical sensor sees the landscape: light, haze, larger pixels, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.landscape.landscape import PIXEL_M
from featbank.landscape.noise import bell, bell_pairs, hash_words, uniform
from featbank.landscape.signatures import CLASSES, signatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.bands import Band

DN_PER_REFLECTANCE = 10_000
# Amplitudes are ours. Of one chip: illumination of all bands, calibration of each band (relative),
# and what aerosol correction left at 0.49 µm (reflectance).
GAIN_STD = 0.05
BAND_GAIN_STD = 0.02
HAZE_MEAN = 0.003
# Of one pixel, in reflectance: a signal-to-noise ratio of 100 at 0.2.
NOISE_STD = 0.002
# Share of the variance of ``roughness`` that survives in boxes of 1, 2 and 6 pixels; measured.
_ROUGH_SHARE = {1: 1.0, 2: 0.888, 6: 0.480}


def chip_light(
    key: int, bands: tuple[Band, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(C,) gain of one chip's bands, and (C,) reflectance that haze adds to them.

    Args:
        key: Key of the chip.
        bands: C bands with a centre wavelength.
    """
    words = hash_words([key], np.arange(1), np.arange(2 + len(bands)))[0, 0]
    own = bell(words)
    gain = np.exp(GAIN_STD * own[0] + BAND_GAIN_STD * own[2:])
    # Exponential: most chips are clear, a few are hazy.
    haze = -np.log1p(-uniform(words[1:2])) * np.float32(HAZE_MEAN)
    return gain.astype(np.float32), haze * haze_spectrum(bands)


def haze_spectrum(bands: tuple[Band, ...]) -> NDArray[np.float32]:
    """(C,) haze relative to 0.49 µm: wavelength^-1.3, an Ångström exponent usual over land."""
    centre = np.array([band.wavelength_um or 0.49 for band in bands], dtype=np.float32)
    return (centre / np.float32(0.49)) ** np.float32(-1.3)


def box_mean(image: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """(C, H, W) to (C, H / step, W / step): the mean of each box of step × step pixels."""
    rows = image[:, ::step].copy()
    for k in range(1, step):
        rows += image[:, k::step]
    boxes = rows[:, :, ::step].copy()
    for k in range(1, step):
        boxes += rows[:, :, k::step]
    return boxes * np.float32(1 / step**2)


def digitise(reflectance: NDArray[np.float32], key: int) -> NDArray[np.uint16]:
    """Add the sensor's noise and round to DN; 0 means no data in L2A, so 1 is the least.

    Args:
        reflectance: (C, H, W), 0 to about 1.
        key: Key of the chip's noise.
    """
    bands, height, width = reflectance.shape
    words = hash_words([key], np.arange(bands * height), np.arange(-(-width // 2)))[0]
    noise = bell_pairs(words)[:, :width].reshape(reflectance.shape)
    noisy = reflectance + np.float32(NOISE_STD) * noise
    numbers: NDArray[np.uint16] = np.clip(np.rint(noisy * DN_PER_REFLECTANCE), 1, 65535).astype(
        np.uint16
    )
    return numbers


def pixel_statistics(bands: tuple[Band, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a pixel of each class looks like: the yardstick of a per-pixel oracle.

    Light, haze and drift of the chip enter as variance; plots, objects and mixed pixels do not.

    Args:
        bands: C bands with a centre wavelength and a ground sampling distance of 10, 20 or 60 m.

    Returns:
        (K, C) mean and (K, C, C) covariance of reflectance, to first order.
    """
    table = signatures(bands)
    means = table.reflectance[: len(CLASSES)].astype(np.float64)
    haze = haze_spectrum(bands).astype(np.float64) * HAZE_MEAN
    steps = [round((band.gsd_m or PIXEL_M) / PIXEL_M) for band in bands]
    coarser = np.maximum.outer(steps, steps)
    rough_share = np.vectorize(_ROUGH_SHARE.__getitem__)(coarser)
    covariances = []
    for cover, mean in zip(CLASSES, means, strict=True):
        light = cover.grain**2 / coarser**2 + cover.roughness**2 * rough_share
        light += cover.patchiness**2 + cover.tone**2 + GAIN_STD**2
        green = np.outer(table.greening, table.greening) * 2 * cover.greenness**2
        wetted = mean * table.wetting
        own = np.diag(NOISE_STD**2 + (BAND_GAIN_STD * mean) ** 2)
        wet = np.outer(wetted, wetted) * cover.wetness**2
        covariances.append(light * np.outer(mean, mean) + green + wet + np.outer(haze, haze) + own)
    return means + haze, np.array(covariances)
