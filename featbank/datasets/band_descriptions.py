"""Wavelengths that a GeoTIFF gives its bands: in their descriptions, or in items of that name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from featbank.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_GDAL_METADATA = 42112
_NM_PER_UM = 1000.0
# Unit words as GDAL, ENVI and EnMAP's products write them.
_WORDED = re.compile(
    r"(\d+(?:\.\d+)?)\s*(nm|nanomet\w*|µm|μm|um|micromet\w*|microns?)\b", re.IGNORECASE
)
_NUMBER = re.compile(r"\s*\d+(?:\.\d+)?\s*")
# Bare numbers: instruments list their bands in nm, and no optical band lies at 100 µm or above.
_NM_FROM = 100.0


def described_wavelengths(paths: Sequence[Path]) -> tuple[float, ...]:
    """Centre wavelengths in µm that files give their bands, all of them the same.

    Args:
        paths: GeoTIFF files, at least one.

    Raises:
        DatasetError: A file gives none, or others than the first.
    """
    first, *others = [(path, _of_file(path)) for path in paths]
    for path, found in others:
        if found != first[1]:
            raise DatasetError(
                str(path),
                "gives its bands other wavelengths than the first file",
                f"those of {first[0].name}",
                "Pass them with --wavelengths.",
            )
    return first[1]


def _of_file(path: Path) -> tuple[float, ...]:
    items, count = _items(path)
    found = [_wavelength(items.get(band, {})) for band in range(count)]
    if not count or None in found:
        missing = f"band {found.index(None) + 1}" if None in found else "its bands"
        raise DatasetError(
            str(path),
            f"does not say what the wavelength of {missing} is",
            "descriptions such as '665 nm', as GDAL keeps them",
            "Pass them with --wavelengths.",
        )
    return tuple(wave for wave in found if wave is not None)


def _items(path: Path) -> tuple[dict[int, dict[str, str]], int]:
    """Texts by item name of each band, and the number of bands; nothing of a file without."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            text = str(page.tags.valueof(_GDAL_METADATA, "") or "")
            count = int(page.samplesperpixel)
        root = ElementTree.fromstring(text) if text else None
    except (tifffile.TiffFileError, ElementTree.ParseError, ValueError, IndexError):
        return {}, 0
    items: dict[int, dict[str, str]] = {}
    for item in root.iter("Item") if root is not None else ():
        sample, name = item.get("sample", ""), item.get("role") or item.get("name") or ""
        if sample.isdigit():
            items.setdefault(int(sample), {})[name.lower()] = item.text or ""
            items[int(sample)].setdefault((item.get("name") or "").lower(), item.text or "")
    return items, count


def _wavelength(items: dict[str, str]) -> float | None:
    plain, units = items.get("wavelength"), items.get("wavelength_units", "")
    if plain is not None:
        return _parsed(f"{plain} {units}") or _parsed(plain)
    return _parsed(items.get("description", ""))


def _parsed(text: str) -> float | None:
    found = _WORDED.search(text)
    if found is not None:
        is_nm = found[2].lower().startswith(("nm", "nano"))
        return round(float(found[1]) / (_NM_PER_UM if is_nm else 1), 9)
    if _NUMBER.fullmatch(text):
        value = float(text)
        return round(value / _NM_PER_UM if value >= _NM_FROM else value, 9) or None
    return None
