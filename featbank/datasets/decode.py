"""Image files to pixels: JPEG, PNG and TIFF, told apart by their first bytes, not by suffix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import DecodeError

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.image import Array

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff"})
_MAGIC = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG": "png",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
    b"II+\x00": "tiff",
    b"MM\x00+": "tiff",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What all files of one dataset have in common.

    Attributes:
        bands: Number of bands C.
        dtype: NumPy dtype name.
        planar: Whether a TIFF stores band after band, (C, H, W), rather than (H, W, C).
    """

    bands: int
    dtype: str
    planar: bool = False


def decode(data: bytes, *, name: str, layout: Layout) -> Array:
    """Pixels of one file as (C, H, W), in native dtype.

    Args:
        data: The file's bytes.
        name: Name of the file, for messages.
        layout: What the dataset's files have in common.

    Raises:
        DecodeError: Not an image, cut short, or with another number of bands.
    """
    pixels = _pixels(data, name)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim == 3 and (not layout.planar or _kind(data, name) != "tiff"):
        pixels = pixels.transpose(2, 0, 1)
    if pixels.ndim != 3 or pixels.shape[0] != layout.bands:
        raise DecodeError(
            name,
            f"holds an array of shape {tuple(pixels.shape)}",
            f"{layout.bands} bands of (H, W)",
            "Remove the file or keep images of one kind in a folder.",
        )
    return pixels


def inspect(path: Path) -> Layout:
    """Layout of one file, read from its pixels and, for TIFF, its tags.

    Raises:
        DecodeError: The file does not decode.
        OSError: The file cannot be read.
    """
    data = path.read_bytes()
    pixels = _pixels(data, path.name)
    if pixels.ndim == 2:
        return Layout(bands=1, dtype=str(pixels.dtype))
    planar = _kind(data, path.name) == "tiff" and _is_planar(path)
    return Layout(bands=pixels.shape[0 if planar else -1], dtype=str(pixels.dtype), planar=planar)


def _is_planar(path: Path) -> bool:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        axes = tiff.series[0].axes
    return axes not in {"YXS", "YX"}


def _kind(data: bytes, name: str) -> str:
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    raise DecodeError(
        name,
        f"starts with {data[:8]!r}",
        "a JPEG, PNG or TIFF image",
        "Remove or replace the file.",
    )


def _pixels(data: bytes, name: str) -> Array:
    import imagecodecs
    import simplejpeg

    kind = _kind(data, name)
    try:
        if kind == "jpeg":
            return np.asarray(simplejpeg.decode_jpeg(data, colorspace="RGB"))
        if kind == "png":
            return _without_alpha(np.asarray(imagecodecs.png_decode(data)))
        return np.asarray(imagecodecs.tiff_decode(data))
    except (ValueError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DecodeError(
            name, f"does not decode as {kind.upper()} ({reason})", "a whole image", "Replace it."
        ) from error


def _without_alpha(pixels: Array) -> Array:
    # The second of two and the fourth of four PNG channels are opacity by definition (ISO/IEC
    # 15948, colour types 4 and 6), so they are never a spectral band.
    opaque = {2: 1, 4: 3}.get(pixels.shape[-1]) if pixels.ndim == 3 else None
    return pixels if opaque is None else pixels[..., :opaque]
