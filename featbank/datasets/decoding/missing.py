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
# The longest integers have 20 digits; more are a real number's.
_INTEGER_DIGITS, _MOST_DIGITS = 20, 400
# ARE_REAL_EQUAL of gdal_priv.h: two float32 units in the last place of the sum, which GDAL also
# takes for float64 (tried against GDAL 3.10).
_CLOSE = 2 * float(np.finfo(np.float32).eps)
# C's strtoull, which GDAL reads numbers of 64 bits by, takes -1 as the largest, and 1e19, which
# GDAL itself writes, as 1.
_LONGEST_BITS = 64


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
    is_whole = _WHOLE.fullmatch(text) and len(text.lstrip("+-0")) <= _INTEGER_DIGITS
    return int(text) if is_whole else float(text)


def matches(pixels: Array, text: str) -> Array | None:
    """Where pixels are the number that stands for missing.

    Args:
        pixels: Pixels of one band, or of all, in the file's type.
        text: The number.

    Returns:
        True where missing, in the shape of the pixels; None where the type cannot hold the number,
        which GDAL ignores.

    Raises:
        NoNumber: The text is no number, or one that readers of its type take in two ways.
    """
    if pixels.dtype.kind == "f":
        return _matches_real(pixels, as_number(text))
    number = _as_integer(text, pixels.dtype)
    return None if number is None else np.asarray(pixels == pixels.dtype.type(number))


def fill_value(dtype: np.dtype[Any], text: str | None) -> float | int:
    """What a sparse file leaves out: the missing number, or 0, as GDAL reads it.

    Raises:
        NoNumber: As for ``matches``.
    """
    if text is None:
        return 0
    return as_number(text) if dtype.kind == "f" else _as_integer(text, dtype) or 0


def _as_integer(text: str, dtype: np.dtype[Any]) -> int | None:
    """The number in an integer type; None where the type cannot hold it."""
    number, limits = as_number(text), np.iinfo(dtype)
    if not math.isfinite(number):
        return None
    if limits.bits == _LONGEST_BITS and "e" in text.lower():
        raise NoNumber(text)
    if limits.bits == _LONGEST_BITS and not limits.min and number < 0:
        number = int(number) % 2**_LONGEST_BITS
    # GDAL casts as C does: 1.5 leaves out 1.
    return int(number) if limits.min <= number <= limits.max else None


def _matches_real(pixels: Array, number: float) -> Array:
    if math.isnan(number):
        return np.isnan(pixels)
    real = pixels.dtype.type
    with np.errstate(over="ignore", invalid="ignore"):
        value = real(number)
        near = np.abs(pixels - value) < real(_CLOSE) * np.abs(pixels + value)
        return np.asarray((pixels == value) | near)
