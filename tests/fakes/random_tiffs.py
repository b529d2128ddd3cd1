"""TIFF files of random layout, type and tags, as GDAL writes them."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import rasterio
from affine import Affine
from rasterio.errors import RasterioError

_TYPES = ("u1", "u1", "u2", "u2", "i1", "i2", "u4", "i4", "u8", "i8", "f4", "f4", "f8")
_METHODS = (None, None, "LZW", "DEFLATE", "ZSTD", "PACKBITS", "LZMA", "LERC", "LERC_DEFLATE")
_SIDES = (1, 2, 7, 16, 17, 33, 40)
_BLOCKS = (16, 32, 48)


def write_random_tiff(path, rng):
    """Write one; options that do not go together are drawn again."""
    logging.getLogger("rasterio").addHandler(logging.NullHandler())
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # images without places
                _write(path, rng)
        except (RasterioError, ValueError, TypeError, OverflowError):
            continue
        return


def _pick(rng, values):
    return values[rng.integers(len(values))]


def _write(path, rng):
    dtype = np.dtype(_pick(rng, _TYPES))
    count, height, width = int(rng.integers(1, 6)), _pick(rng, _SIDES), _pick(rng, _SIDES)
    pixels = _pixels(rng, dtype, (count, height, width))
    options = _options(rng, dtype, count)
    sizes = {"count": count, "height": height, "width": width, "dtype": dtype.name}
    if rng.random() < 0.4:
        options["nodata"] = _nodata(rng, pixels)
    if rng.random() < 0.5:
        options |= {"crs": "EPSG:32633", "transform": Affine(10, 0, 384000, 0, -10, 5342400)}
    inside = bool(rng.integers(2))
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside),
        rasterio.open(path, "w", driver="GTiff", **sizes, **options) as file,
    ):
        file.write(pixels)
        if rng.random() < 0.2:
            file.scales = tuple(float(v) for v in rng.choice([0.5, 1.0, 1e-4], count))
            file.offsets = tuple(float(v) for v in rng.choice([0.0, -10.0], count))
        if rng.random() < 0.2:
            file.write_mask((rng.random((height, width)) < 0.7).astype(np.uint8) * 255)


def _pixels(rng, dtype, shape):
    if dtype.kind == "f":
        pixels = rng.normal(size=shape).astype(dtype)
        pixels[rng.random(shape) < 0.1] = _pick(rng, (np.nan, np.finfo(dtype).min, 0, -9999))
        return pixels
    limits = np.iinfo(dtype)
    pixels = rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    pixels[rng.random(shape) < 0.2] = _pick(rng, (0, limits.max, limits.min, 1))
    return pixels


def _options(rng, dtype, count):
    options = {"interleave": _pick(rng, ("pixel", "band"))}
    options["ENDIANNESS"] = _pick(rng, ("LITTLE", "LITTLE", "BIG"))
    options["BIGTIFF"] = _pick(rng, ("NO", "YES"))
    method = _pick(rng, _METHODS)
    if method:
        options["compress"] = method
        if method in {"LZW", "DEFLATE", "ZSTD"}:
            options["predictor"] = _pick(rng, (1, 2, 3 if dtype.kind == "f" else 2))
    if rng.random() < 0.4:
        side = _pick(rng, _BLOCKS)
        options |= {"tiled": True, "blockxsize": side, "blockysize": _pick(rng, _BLOCKS)}
        options["sparse_ok"] = bool(rng.integers(2))
    elif rng.random() < 0.5:
        options["blockysize"] = int(rng.integers(1, 20))
    if dtype in (np.uint8, np.uint16) and rng.random() < 0.2:
        options["nbits"] = int(rng.integers(2, 8 if dtype == np.uint8 else 16))
    if rng.random() < 0.3:
        options["ALPHA"] = _pick(rng, ("YES", "PREMULTIPLIED", "UNSPECIFIED"))
    options["photometric"] = _pick(rng, ("MINISBLACK", "RGB" if count >= 3 else "MINISBLACK"))
    return options


def _nodata(rng, pixels):
    value = pixels.reshape(-1)[rng.integers(pixels.size)]
    return np.asarray(_pick(rng, (value, value, 0, pixels.max(), pixels.min()))).item()
