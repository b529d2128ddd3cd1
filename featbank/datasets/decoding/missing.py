"""Which pixels a nodata text leaves out: matched in the file's own type, as GDAL matches them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from featbank.image import Array

# Texts of the C libraries that writers print with; Python reads 'nan' and 'inf' itself.
_NAN = re.compile(r"[+-]?(nan(\(.*\))?|1\.#(qnan|snan|ind|nan)0*)", re.IGNORECASE)
_INFINITE = re.compile(r"([+-]?)(1\.#inf0*|inf(inity)?)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
# More digits than any type has; Python refuses to read thousands.
_MOST_DIGITS = 400
# ARE_REAL_EQUAL of gdal_priv.h: two float32 units in the last place of the sum, which GDAL also
# takes for float64 (tried against GDAL 3.10).
_CLOSE = 2 * float(np.finfo(np.float32).eps)
# C's strtoull, which GDAL reads numbers of 64 bits by, takes -1 as the largest.
_WRAPS_AT = 64


class NoNumber(ValueError):
    """The text is no number."""


def as_number(text: str) -> float | int:
    """The number of a nodata text.

    Raises:
        NoNumber: It is none.
    """
    # A comma is how some locales printed the point.
    text = text.strip().replace(",", ".")
    if _NAN.fullmatch(text):
        return math.nan
    infinite = _INFINITE.fullmatch(text)
    if infinite is not None:
        return float(f"{infinite[1]}inf")
    if len(text) > _MOST_DIGITS or not _REAL.fullmatch(text):
        raise NoNumber(text)
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def matches(pixels: Array, text: str) -> Array | None:
    """Where pixels are the number that stands for missing.

    Args:
        pixels: Pixels of one band, or of all, in the file's type.
        text: The number.

    Returns:
        True where missing, in the shape of the pixels; None where the type cannot hold the number,
        which GDAL ignores.

    Raises:
        NoNumber: The text is no number.
    """
    number = as_number(text)
    if pixels.dtype.kind == "f":
        return _matches_real(pixels, number)
    if not math.isfinite(number):
        return None
    limits = np.iinfo(pixels.dtype)
    if limits.bits == _WRAPS_AT and not limits.min and number < 0:
        number = int(number) % 2**_WRAPS_AT
    if not limits.min <= number <= limits.max:
        return None
    # GDAL casts as C does: 1.5 leaves out 1.
    return np.asarray(pixels == pixels.dtype.type(int(number)))


def _matches_real(pixels: Array, number: float) -> Array:
    if math.isnan(number):
        return np.isnan(pixels)
    real = pixels.dtype.type
    with np.errstate(over="ignore", invalid="ignore"):
        value = real(number)
        near = np.abs(pixels - value) < real(_CLOSE) * np.abs(pixels + value)
        return np.asarray((pixels == value) | near)


def fill_value(dtype: np.dtype[Any], text: str | None) -> float | int:
    """What a sparse file leaves out: the missing number, or 0, as GDAL reads it."""
    number = 0 if text is None else as_number(text)
    if dtype.kind == "f":
        return number
    limits = np.iinfo(dtype)
    fits = math.isfinite(number) and limits.min <= number <= limits.max
    return int(number) if fits else 0
