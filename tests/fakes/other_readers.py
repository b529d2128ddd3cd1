"""Pixels and masks of images by readers that are not ours: rasterio, Pillow and tifffile."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
import tifffile
from PIL import Image
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioError


class Read(NamedTuple):
    """What another reader gives: (C, H, W) pixels, and True where they are missing."""

    pixels: np.ndarray
    missing: np.ndarray


class Complaint(Exception):
    """The other reader did not read the file without a word."""


# A mutated header makes other readers take more memory than a test may.
_MOST_NUMBERS = 2_000_000


class _Heard(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.words = []

    def emit(self, record):
        self.words.append(record.getMessage())


def by_rasterio(path) -> Read:
    """Bands without opacity, through the colour map, scaled.

    Raises:
        Complaint: It fails, or warns.
    """
    heard, logger = _Heard(), logging.getLogger("rasterio")
    logger.addHandler(heard)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(path) as file:
                read = _settled(file)
    except (RasterioError, ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
        raise Complaint(str(error)) from error
    finally:
        logger.removeHandler(heard)
    if heard.words:
        raise Complaint(heard.words[0])
    return read


def _settled(file) -> Read:
    if file.width * file.height * file.count > _MOST_NUMBERS:
        raise Complaint("too large to compare")
    pixels, missing = file.read(), file.read_masks() == 0
    clear = [i for i, kind in enumerate(file.colorinterp) if kind == ColorInterp.alpha]
    by_default = file.driver == "GTiff" and not Path(f"{file.name}.aux.xml").exists()
    if by_default and clear and _is_graded(pixels[clear[-1]]):
        # Programs call a fourth band opacity by default; its values say that it is none.
        clear = []
        missing = np.stack([file.read_masks(i + 1) == 0 for i in range(file.count)])
        is_by_opacity = [MaskFlags.alpha in flags for flags in file.mask_flag_enums]
        missing[is_by_opacity] = False
    kept = [i for i in range(file.count) if i not in clear]
    if clear:
        missing = missing | (pixels[clear] == 0).any(axis=0)
    pixels, missing = pixels[kept], missing[kept]
    # GDAL draws images of one bit in black and white; theirs is no colour map of the file.
    is_bilevel = file.tags(1, ns="IMAGE_STRUCTURE").get("NBITS") == "1"
    if file.colorinterp[0] == ColorInterp.palette and not is_bilevel:
        colours = np.zeros((1 << 16, 3), dtype=np.uint8)
        table = file.colormap(1)
        colours[list(table)] = [colour[:3] for colour in table.values()]
        return Read(colours[pixels[0]].transpose(2, 0, 1), np.repeat(missing, 3, axis=0))
    scales = [(file.scales[i], file.offsets[i]) for i in kept]
    if any(pair != (1.0, 0.0) for pair in scales):
        bands = [p.astype(np.float64) * s + o for p, (s, o) in zip(pixels, scales, strict=True)]
        is_double = pixels.dtype == np.float64
        pixels = np.stack(bands).astype(np.float64 if is_double else np.float32)
    return Read(pixels, missing)


def _is_graded(plane):
    return ((plane != 0) & (plane != plane.max())).mean() > 0.5


def by_pillow(path) -> Read:
    """Grey or RGB; opacity is missing where it is 0.

    Raises:
        Complaint: It fails, or warns.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path) as image:
                if image.width * image.height > _MOST_NUMBERS:
                    raise Complaint("too large to compare")
                return _unfolded(image)
    except (OSError, ValueError, TypeError, SyntaxError, LookupError, Warning) as error:
        raise Complaint(str(error)) from error
    except (OverflowError, MemoryError, EOFError, AttributeError, RuntimeError) as error:
        raise Complaint(str(error)) from error


def _unfolded(image) -> Read:
    if image.format == "PNG" and image.mode in {"LA", "RGB", "RGBA"} and _has_16_bits(image):
        raise Complaint("Pillow keeps eight bits of sixteen")
    if image.mode.startswith("I;16"):
        pixels = np.asarray(image)[None]
        clear = image.info.get("transparency")
        missing = np.zeros(pixels.shape, dtype=bool) if clear is None else pixels == clear
        return Read(pixels, missing)
    is_grey = image.mode in {"1", "L", "LA"}
    opaque = image.mode in {"1", "L", "RGB"} and "transparency" not in image.info
    whole = np.asarray(image.convert("RGBA")).transpose(2, 0, 1)
    bands = whole[:1] if is_grey else whole[:3]
    if opaque:
        return Read(bands, np.zeros(bands.shape, dtype=bool))
    return Read(bands, np.broadcast_to(whole[3:] == 0, bands.shape))


def _has_16_bits(image):
    with open(image.filename, "rb") as file:
        return file.read(25)[24] == 16


def by_tifffile(path) -> Read:
    """Bands of all full pages, one after another; nothing is missing."""
    with tifffile.TiffFile(path) as file:
        pages = [page for page in file.pages if not page.subfiletype & 5]
        bands = [_bands_first(page) for page in pages]
    pixels = np.concatenate(bands)
    return Read(pixels, np.zeros(pixels.shape, dtype=bool))


def _bands_first(page):
    pixels = page.asarray()
    if pixels.ndim == 2:
        return pixels[None]
    return pixels if page.planarconfig == 2 else pixels.transpose(2, 0, 1)
