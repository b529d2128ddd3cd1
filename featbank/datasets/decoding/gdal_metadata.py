"""What GDAL writes beside pixels: the metadata tag of a TIFF, and the side file ``.aux.xml``."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from featbank.datasets.decoding.missing import NoNumber, as_number

if TYPE_CHECKING:
    from collections.abc import Mapping

# A pixel-mask file holds one plane for all bands where this flag is set (gdal.h, GMF_PER_DATASET).
_MASK_OF_ALL_BANDS = 2
_MASK_FLAGS = "INTERNAL_MASK_FLAGS_"


class DamagedMetadata(ValueError):
    """The text is no metadata, in words."""


@dataclass(frozen=True, kw_only=True)
class GdalMetadata:
    """What concerns pixels; bands count from 0.

    Attributes:
        scales: Factor by band.
        offsets: Summand by band.
        nodata: Text of the missing number, by band.
        nodata_together: One text a band: a pixel is missing where all bands match.
        opacity: Bands that are opacity by GDAL's own word.
        mask_is_shared: Whether a mask's first plane counts for all bands.
    """

    scales: Mapping[int, float] = field(default_factory=dict)
    offsets: Mapping[int, float] = field(default_factory=dict)
    nodata: Mapping[int, str] = field(default_factory=dict)
    nodata_together: tuple[str, ...] = ()
    opacity: frozenset[int] = frozenset()
    mask_is_shared: bool = True


NONE = GdalMetadata()


@lru_cache(maxsize=32)
def parse_tag(text: bytes) -> GdalMetadata:
    """Tag 42112 of a TIFF.

    Raises:
        DamagedMetadata: No XML, or numbers that are none.
    """
    scales: dict[int, float] = {}
    offsets: dict[int, float] = {}
    together: tuple[str, ...] = ()
    flags: dict[str, str] = {}
    opacity = set()
    for item in _root(text, "GDALMetadata").findall("Item"):
        name, role, value = item.get("name"), item.get("role", "").lower(), item.text or ""
        if name is None:
            raise DamagedMetadata("holds an item without a name")
        if role in {"scale", "offset"}:
            (scales if role == "scale" else offsets)[_band(item.get("sample", ""))] = _real(value)
        elif role == "colorinterp" and value.strip().lower() == "alpha":
            opacity.add(_band(item.get("sample", "")))
        elif name == "NODATA_VALUES" and not item.get("domain"):
            together = tuple(value.split())
        elif name.startswith(_MASK_FLAGS):
            flags[name.removeprefix(_MASK_FLAGS)] = value
    return GdalMetadata(
        scales=scales,
        offsets=offsets,
        nodata_together=together,
        opacity=frozenset(opacity),
        mask_is_shared=_is_shared(flags),
    )


def parse_side_file(text: bytes) -> GdalMetadata:
    """A side file ``.aux.xml``.

    Raises:
        DamagedMetadata: No XML, or numbers that are none.
    """
    scales: dict[int, float] = {}
    offsets: dict[int, float] = {}
    nodata: dict[int, str] = {}
    opacity = set()
    root = _root(text, "PAMDataset")
    for band in root.findall("PAMRasterBand"):
        place = _band(band.get("band", "")) - 1
        if band.find("ColorTable") is not None:
            raise DamagedMetadata("holds a colour table, which is taken from images alone")
        if band.findtext("ColorInterp", "").strip().lower() == "alpha":
            opacity.add(place)
        missing = band.find("NoDataValue")
        if missing is not None:
            nodata[place] = _exact(missing)
        told = [band.findtext(tag) for tag in ("Scale", "Offset")]
        if told != [None, None]:
            # To GDAL they are one: the one that is not told is not taken from the image's tags.
            scales[place] = 1.0 if told[0] is None else _real(told[0])
            offsets[place] = 0.0 if told[1] is None else _real(told[1])
    return GdalMetadata(
        scales=scales,
        offsets=offsets,
        nodata=nodata,
        nodata_together=_together(root),
        opacity=frozenset(opacity),
    )


def _together(root: ElementTree.Element) -> tuple[str, ...]:
    """One missing number a band, of the whole image: items without a domain."""
    plain = (items for items in root.findall("Metadata") if not items.get("domain"))
    found = [item.text for items in plain for item in items if item.get("key") == "NODATA_VALUES"]
    return tuple((found[-1] or "").split()) if found else ()


def _is_shared(flags: Mapping[str, str]) -> bool:
    """Whether a mask file says that its first plane counts for all bands; all must say the same."""
    bands = {str(band) for band in range(1, len(flags) + 1)}
    if set(flags) != bands or len(set(flags.values())) > 1:
        raise DamagedMetadata("says different things of the masks of its bands")
    return not flags or bool(_band(flags["1"]) & _MASK_OF_ALL_BANDS)


def _root(text: bytes, tag: str) -> ElementTree.Element:
    text = text.rstrip(b"\x00 \r\n\t")
    if b"<!" in text.replace(b"<!--", b""):
        raise DamagedMetadata("declares XML entities")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DamagedMetadata(f"is no XML ({error})") from None
    if root.tag != tag:
        raise DamagedMetadata(f"holds '{root.tag[:40]}' where GDAL writes '{tag}'")
    return root


def _exact(missing: ElementTree.Element) -> str:
    # GDAL rounds the number's text, and writes its eight bytes beside it.
    exact = missing.get("le_hex_equiv")
    if exact is None:
        return missing.text or ""
    try:
        return repr(struct.unpack("<d", bytes.fromhex(exact))[0])
    except (ValueError, struct.error):
        raise DamagedMetadata(f"holds the number '{exact[:40]}'") from None


def _band(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DamagedMetadata(f"numbers a band '{text[:40]}'") from None


def _real(text: str) -> float:
    try:
        return float(as_number(text))
    except (NoNumber, OverflowError):
        raise DamagedMetadata(f"holds the number '{text[:40]}'") from None
