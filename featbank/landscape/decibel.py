"""Decibels and back, by additions and products alone: the same bits on every machine.

Logarithms and exponentials of NumPy differ in their last bits between processors, which sensors
that round to whole numbers hide; radar backscatter is stored unrounded.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OCTAVE_DB = 10 * math.log10(2)
_NEPER_DB = 10 / math.log(10)
# Taylor coefficients of 2^x = exp(x ln 2) for -0.5 ≤ x ≤ 0.5, highest first; what is left out is
# below 2e-7 of the value.
_EXP2 = tuple(np.float32(math.log(2) ** n / math.factorial(n)) for n in range(6, -1, -1))


def to_power(decibels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Backscatter in dB as a ratio, to about 1e-6 of its value.

    Args:
        decibels: Any shape, -300 to 300.
    """
    octaves = decibels * np.float32(1 / _OCTAVE_DB)
    whole = np.rint(octaves)
    rest = octaves - whole
    ratio = np.full_like(rest, _EXP2[0])
    for coefficient in _EXP2[1:]:
        ratio *= rest
        ratio += coefficient
    power: NDArray[np.float32] = np.ldexp(ratio, whole.astype(np.int32))
    return power


def to_decibel(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """A positive ratio in dB, to about 1e-5 dB.

    Args:
        power: Any shape, above 0.
    """
    half, octave = np.frexp(power)
    # ln m = 2 artanh z with z = (m - 1) / (m + 1); m from 0.5 to 1, times √2 it is centred on 1.
    centred = half * np.float32(2**0.5)
    z = (centred - 1) / (centred + 1)
    square = z * z
    series = square * np.float32(1 / 7)
    for term in (1 / 5, 1 / 3):
        series += np.float32(term)
        series *= square
    series += 1
    series *= z
    series *= np.float32(2 * _NEPER_DB)
    series += (octave.astype(np.float32) - np.float32(0.5)) * np.float32(_OCTAVE_DB)
    return series
