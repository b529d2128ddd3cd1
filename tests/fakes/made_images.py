"""Small images of every kind that a folder may hold, written by rasterio, tifffile and Pillow."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import imagecodecs
import numpy as np
import rasterio
import tifffile
from PIL import Image

H, W = 24, 20
_rng = np.random.default_rng(7)
BYTES = _rng.integers(0, 256, (16, H, W), dtype=np.uint8)
COUNTS = _rng.integers(0, 9999, (16, H, W), dtype=np.uint16)
REALS = _rng.normal(size=(16, H, W)).astype(np.float32)
SMOOTH = np.stack([np.add.outer(np.arange(H) * 3, np.arange(W) * k) for k in (2, 3, 4)])
SMOOTH = SMOOTH.astype(np.uint8)
OPACITY = np.where(np.arange(H * W).reshape(H, W) % 5 < 2, 0, 255).astype(np.uint8)
FILL = float(np.finfo(np.float32).min)


class Kind(NamedTuple):
    """How to write a kind, and who else reads it."""

    write: object
    reader: str = "rasterio"
    levels: int = 0


def rio(pixels, then=None, **options):
    """A writer of one TIFF by GDAL."""
    options.setdefault("driver", "GTiff")

    def write(path):
        count, height, width = pixels.shape
        sizes = {"count": count, "height": height, "width": width, "dtype": pixels.dtype}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # images without places
            with rasterio.open(path, "w", **sizes, **options) as file:
                file.write(pixels)
                if then is not None:
                    then(file)

    return write


def tif(pixels, **options):
    """A writer of one TIFF by tifffile."""
    options.setdefault("metadata", None)
    return lambda path: tifffile.imwrite(path, pixels, **options)


def pil(image, **options):
    """A writer of one image by Pillow."""
    return lambda path: image.save(path, **options)


def raw(encode, pixels, **options):
    """A writer of one image by imagecodecs."""
    return lambda path: path.write_bytes(encode(pixels, **options))


def nodata(text):
    """Tag 42113 as tifffile takes it."""
    return {"extratags": [(42113, "s", 0, text, True)]}


def gaps(pixels, value, every=7):
    """Pixels with a value at some places, other places in each band."""
    holed = pixels.copy()
    for band, plane in enumerate(holed):
        plane.reshape(-1)[band::every] = value
    return holed


def scaled(scales, offsets):
    def then(file):
        file.scales, file.offsets = scales, offsets

    return then


def masked(file):
    file.write_mask(OPACITY)


def pages(*images, **options):
    """A writer of several pages; each image may bring options of its own."""

    def write(path):
        with tifffile.TiffWriter(path) as file:
            for image in images:
                pixels, own = image if isinstance(image, tuple) else (image, {})
                kept = {"metadata": None, "photometric": "minisblack", **options, **own}
                file.write(pixels, **kept)

    return write


def beside(write, ending, text):
    """A writer of an image and of a text file beside it."""

    def both(path):
        write(path)
        path.with_name(path.name + ending).write_text(text)

    return both


def external_mask(write):
    """A writer of an image with a mask in a file of its own."""

    def both(path):
        write(path)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as file:
            file.write_mask(OPACITY)

    return both


def internal_mask(pixels, **options):
    """A writer of an image with a mask page."""
    write = rio(pixels, masked, **options)

    def inside(path):
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            write(path)

    return inside


def band_of(tags):
    """A side file that says something of the first band."""
    return f'<PAMDataset><PAMRasterBand band="1">{tags}</PAMRasterBand></PAMDataset>'


def chunky(bands):
    return np.ascontiguousarray(bands.transpose(1, 2, 0))


_PALETTE = (_rng.integers(0, 256, (3, 256)) * 257).astype(np.uint16)
_RGB = Image.fromarray(chunky(BYTES[:3]))
_SMOOTH = Image.fromarray(chunky(SMOOTH))
_RGBA = Image.fromarray(chunky(np.concatenate([BYTES[:3], OPACITY[None]])))
_GREY = Image.fromarray(BYTES[0])
_INDEXED = _SMOOTH.quantize(16)
TILES = {"tiled": True, "blockxsize": 16, "blockysize": 16}
_UNIT = {"photometric": "minisblack"}


def _layouts():
    for name, cube in (("u8", BYTES), ("u16", COUNTS), ("f32", REALS), ("i16", COUNTS - 5000)):
        cube = cube.astype(np.int16) if name == "i16" else cube
        for order in ("pixel", "band"):
            for part, options in (("strips", {}), ("tiles", TILES)):
                yield (
                    f"{name}-{order}-{part}",
                    Kind(rio(cube[:5], interleave=order, photometric="MINISBLACK", **options)),
                )
    for order in "<>":
        for big in (False, True):
            write = tif(COUNTS[:2], planarconfig="separate", byteorder=order, bigtiff=big, **_UNIT)
            yield f"order-{'little' if order == '<' else 'big'}-{big}", Kind(write)
    eight = BYTES[:8, :8, :8]
    yield "8x8x8-planar", Kind(tif(eight, planarconfig="separate", **_UNIT))
    yield "8x8x8-chunky", Kind(tif(chunky(eight), planarconfig="contig", **_UNIT))
    yield "one-pixel-high", Kind(rio(COUNTS[:3, :1]))
    yield "one-pixel-wide", Kind(rio(COUNTS[:3, :, :1]))
    yield "one-pixel", Kind(rio(COUNTS[:1, :1, :1]))
    many = np.tile(COUNTS[:, :4, :4], (70, 1, 1))
    yield "1120-bands", Kind(rio(many))


def _types():
    for code in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"):
        pixels = (COUNTS[:2] % 120).astype(code)
        yield f"type-{code}", Kind(rio(pixels, photometric="MINISBLACK"))
    for bits in (1, 2, 4, 7):
        pixels = (BYTES[:1] % (1 << bits)).astype(np.uint8)
        kind = Kind(rio(pixels, nbits=bits), "tifffile" if bits == 1 else "rasterio")
        yield f"bits-{bits}", kind
    for bits in (9, 12):
        yield f"bits-{bits}", Kind(rio(COUNTS[:3] % (1 << bits), nbits=bits))
    yield "bits-24", Kind(rio(COUNTS[:1].astype(np.uint32), nbits=24))
    yield "half-float", Kind(rio(REALS[:2], nbits=16))


_MAP = {index: (index, 255 - index, index // 2, 255) for index in range(256)}


def _masked_jpeg(path):
    """A JPEG with GDAL's mask behind its pixels."""
    from rasterio.io import MemoryFile
    from rasterio.shutil import copy

    sizes = {"count": 3, "height": H, "width": W, "dtype": "uint8", "driver": "GTiff"}
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore")
        with MemoryFile() as memory:
            with memory.open(**sizes) as file:
                file.write(SMOOTH)
                file.write_mask(OPACITY)
            copy(memory.name, path, driver="JPEG", QUALITY=95)


def _compressions():
    for method in ("LZW", "DEFLATE", "ZSTD", "PACKBITS", "LZMA", "LERC", "LERC_ZSTD"):
        yield f"packed-{method}", Kind(rio(COUNTS[:3], compress=method))
    for predictor, pixels in ((2, COUNTS[:3]), (3, REALS[:3])):
        yield f"predictor-{predictor}", Kind(rio(pixels, compress="DEFLATE", predictor=predictor))
    yield "predictor-2-tiles", Kind(rio(COUNTS[:3], compress="LZW", predictor=2, **TILES))
    yield "webp-in-tiff", Kind(rio(BYTES[:3], compress="WEBP", WEBP_LOSSLESS=True))
    yield "jpeg-in-tiff-grey", Kind(rio(SMOOTH[:1], compress="JPEG"), levels=2)
    yield "jpeg-in-tiff-rgb", Kind(rio(SMOOTH, compress="JPEG", photometric="RGB"), levels=2)
    blocks = np.kron(BYTES[:4, :3, :5] // 50 * 50, np.ones((1, 8, 4), np.uint8))
    for bands in (2, 3, 4):
        grey = {"compress": "JPEG", "photometric": "MINISBLACK"}
        if bands != 3:
            yield f"jpeg-in-tiff-{bands}-bands", Kind(rio(blocks[:bands], **grey), levels=2)
        planes = rio(blocks[:bands], interleave="band", **grey)
        yield f"jpeg-in-tiff-{bands}-planes", Kind(planes, levels=2)
    yield "jpeg-in-tiff-tiles", Kind(rio(blocks[:2], **grey, **TILES), levels=2)
    opaque = np.concatenate([blocks[:3], OPACITY[None]])
    yield "jpeg-in-tiff-rgba", Kind(rio(opaque, compress="JPEG"), levels=2)
    ycbcr = rio(SMOOTH, compress="JPEG", photometric="YCBCR")
    yield "jpeg-in-tiff-ycbcr", Kind(ycbcr, "pillow", 2)
    # Strips of 48 rows, the last of 32; ripples, so that colours differ from row to row.
    rows, columns = np.mgrid[:128, :96]
    ripples = np.stack([128 + 100 * np.sin(rows / k + columns / 9) for k in (2.0, 3.0, 5.0)])
    cut = rio(ripples.astype(np.uint8), compress="JPEG", photometric="YCBCR", blockysize=48)
    yield "jpeg-in-tiff-ycbcr-cut", Kind(cut, "pillow", 2)
    write = tif(COUNTS[0], compression="jpeg2000", compressionargs={"reversible": True})
    yield "jpeg2000-in-tiff", Kind(write, "tifffile")


def _colours():
    palette = {"photometric": "palette", "colormap": _PALETTE}
    yield "palette", Kind(tif(BYTES[0], **palette))
    yield "palette-deflate-tiles", Kind(tif(BYTES[0], compression="zlib", tile=(16, 16), **palette))
    late = rio(BYTES[:1], then=lambda file: file.write_colormap(1, _MAP))
    yield "palette-after-pixels", Kind(late)
    scale = scaled([0.1], [2.0])
    both = rio(BYTES[:1], then=lambda file: (file.write_colormap(1, _MAP), scale(file)))
    yield "palette-scale", Kind(both)
    yield "palette-nodata", Kind(tif(BYTES[0], **palette, **nodata("17")))
    yield "rgb", Kind(rio(BYTES[:3], photometric="RGB"))
    yield "rgba", Kind(rio(np.concatenate([BYTES[:3], OPACITY[None]]), photometric="RGB"))
    rgba = chunky(np.concatenate([BYTES[:3], OPACITY[None]]))
    for extra in ("assocalpha", "unassalpha", "unspecified"):
        yield f"rgb-{extra}", Kind(tif(rgba, photometric="rgb", extrasamples=[extra]))
    grey = chunky(np.stack([BYTES[0], OPACITY]))
    yield "grey-unassalpha", Kind(tif(grey, extrasamples=["unassalpha"], **_UNIT))
    planes = np.concatenate([COUNTS[:3], OPACITY[None].astype(np.uint16) * 257])
    kept = {"planarconfig": "separate", "extrasamples": ["unassalpha"]}
    yield "rgb16-alpha-planar", Kind(tif(planes, photometric="rgb", **kept))


def _missing():
    real = gaps(REALS[:3], FILL)
    yield "nodata-f32-least", Kind(rio(real, nodata=FILL))
    yield "nodata-f32-text", Kind(tif(real[0], **nodata("-3.4028234663852886e+38")))
    yield "nodata-f32-rounded", Kind(tif(real[0], **nodata("-3.4e+38")))
    yield "nodata-nan", Kind(rio(gaps(REALS[:2], np.nan), nodata=np.nan))
    yield "nodata-infinite", Kind(tif(gaps(REALS[:1], -np.inf)[0], **nodata("-inf")))
    yield "nodata-u8-0", Kind(rio(gaps(BYTES[:3], 0), nodata=0))
    yield "nodata-u16", Kind(rio(gaps(COUNTS[:5], 65535), nodata=65535))
    negative = gaps(COUNTS[:2].astype(np.int16), -9999)
    yield "nodata-i16", Kind(rio(negative, nodata=-9999))
    yield "nodata-i16-point", Kind(tif(negative[0], **nodata("-9999.0")))
    yield "nodata-spaces", Kind(tif(gaps(COUNTS[:1], 5)[0], **nodata(" 5 ")))
    for text in ("256", "-1", "nan", "-9999"):
        yield f"nodata-outside-{text}", Kind(tif(BYTES[0], **nodata(text)))
    yield "nodata-cut-to-1", Kind(tif(BYTES[0] % 4, **nodata("1.5")))
    large = (COUNTS[0].astype(np.int64) << 40) | 1
    yield "nodata-i64", Kind(tif(large, **nodata(str(large[0, 0]))))
    yield "nodata-f64", Kind(tif(gaps(REALS[:1].astype(np.float64), 0.1)[0], **nodata("0.1")))
    yield "nodata-f32-0.1", Kind(tif(gaps(REALS[:1], 0.1)[0], **nodata("0.1")))
    yield "nodata-no-pixel", Kind(rio(COUNTS[:2], nodata=65535))
    yield "nodata-rgba", Kind(rio(np.concatenate([BYTES[:3], OPACITY[None]]), nodata=5))
    yield "mask-page", Kind(internal_mask(COUNTS[:3]))
    yield "mask-page-tiles", Kind(internal_mask(BYTES[:3], compress="DEFLATE", **TILES))
    yield "mask-page-over-nodata", Kind(internal_mask(gaps(COUNTS[:1], 3), nodata=3))
    yield "mask-file", Kind(external_mask(rio(COUNTS[:2])))
    side = band_of("<NoDataValue>7</NoDataValue>")
    together = "<MDI key='NODATA_VALUES'>7 7 9</MDI>"
    side_of_all = f"<PAMDataset><Metadata>{together}</Metadata></PAMDataset>"
    yield "side-nodata-together", Kind(beside(rio(gaps(BYTES[:3], 7)), ".aux.xml", side_of_all))
    yield "side-nodata", Kind(beside(rio(gaps(BYTES[:2], 7)), ".aux.xml", side))
    clear = {"photometric": "MINISBLACK", "ALPHA": "NO"}
    for last, counts in ((4, [0, 1, 2, "clear"]), (2, [0, "clear", 1])):
        planes = [OPACITY if each == "clear" else BYTES[each] for each in counts]
        told = f"<PAMRasterBand band='{last}'><ColorInterp>Alpha</ColorInterp></PAMRasterBand>"
        told += "<PAMRasterBand band='3'><Scale>0.5</Scale></PAMRasterBand>"
        text = f"<PAMDataset>{told}</PAMDataset>"
        yield f"side-opacity-{last}", Kind(beside(rio(np.stack(planes), **clear), ".aux.xml", text))
    overruled = beside(rio(gaps(BYTES[:1], 7), nodata=9), ".aux.xml", side)
    yield "side-nodata-overrules", Kind(overruled)
    together = {"NODATA_VALUES": "1 2 3"}
    holed = BYTES[:3].copy()
    holed[:, ::3, ::3] = np.array([1, 2, 3])[:, None, None]
    yield "nodata-together", Kind(rio(holed, lambda file: file.update_tags(**together)))
    empty = {"sparse_ok": True, **TILES}
    yield "sparse", Kind(rio(np.zeros((2, 32, 32), np.uint16), **empty))
    hole = COUNTS[:2].astype(np.int16) + 1
    hole[:, :16, :16] = -1
    yield "sparse-nodata", Kind(rio(hole, nodata=-1, compress="DEFLATE", **empty))
    yield "sparse-f32-nodata", Kind(rio(np.full((1, 32, 32), FILL, "f4"), nodata=FILL, **empty))


def _scales():
    yield "scale", Kind(rio(COUNTS[:3], scaled([0.1, 2.0, 1.0], [5.0, 0.0, -3.0])))
    yield "scale-nodata", Kind(rio(gaps(COUNTS[:2], 0), scaled([1e-4] * 2, [-0.1] * 2), nodata=0))
    yield "scale-f64", Kind(rio(REALS[:1].astype(np.float64), scaled([1e-4], [1.0])))
    side = band_of("<Offset>10</Offset><Scale>0.5</Scale>")
    yield "scale-side", Kind(beside(rio(COUNTS[:2]), ".aux.xml", side))
    tagged = rio(COUNTS[:2], scaled([0.1, 2.0], [5.0, 3.0]))
    for alone in ("Scale", "Offset"):
        side = band_of(f"<{alone}>4</{alone}>")
        yield f"scale-side-{alone.lower()}-alone", Kind(beside(tagged, ".aux.xml", side))
    yield "scale-1", Kind(rio(COUNTS[:1], scaled([1.0], [0.0])))


def _pages():
    yield "pages-are-bands", Kind(pages(*COUNTS[:4]), "tifffile")
    yield "pages-of-rgb", Kind(pages(*[chunky(BYTES[:3])] * 2, photometric="rgb"), "tifffile")
    yield "pages-imagej", Kind(tif(COUNTS[:3], imagej=True, metadata={"axes": "CYX"}), "tifffile")
    write = tif(COUNTS[:3], metadata={"axes": "CYX"}, ome=True, **_UNIT)
    yield "pages-ome", Kind(write, "tifffile")
    small = (COUNTS[0, ::2, ::2].copy(), {"subfiletype": 1})
    yield "overview-page", Kind(pages(COUNTS[0], small), "tifffile")
    yield "thumbnail-in-front", Kind(pages(small, COUNTS[0]), "tifffile")
    yield "sub-pages", Kind(_sub_pages, "tifffile")
    yield "overviews-of-gdal", Kind(_overviews)


def _sub_pages(path):
    with tifffile.TiffWriter(path) as file:
        file.write(COUNTS[0], subifds=1, metadata=None)
        file.write(COUNTS[0, ::2, ::2].copy(), subfiletype=1, metadata=None)


def _overviews(path):
    rio(COUNTS[:2], **TILES)(path)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2])


def _png():
    yield "png-grey", Kind(pil(_GREY, format="PNG"), "pillow")
    yield "png-rgb", Kind(pil(_RGB, format="PNG"), "pillow")
    yield "png-rgba", Kind(pil(_RGBA, format="PNG"), "pillow")
    grey = Image.fromarray(chunky(np.stack([BYTES[0], OPACITY])))
    yield "png-grey-alpha", Kind(pil(grey, format="PNG"), "pillow")
    yield "png-1-bit", Kind(pil(_GREY.convert("1"), format="PNG"), "pillow")
    yield "png-16", Kind(pil(Image.fromarray(COUNTS[0]), format="PNG"), "pillow")
    yield "png-16-rgb", Kind(raw(imagecodecs.png_encode, chunky(COUNTS[:3])))
    yield "png-palette", Kind(pil(_INDEXED, format="PNG"), "pillow")
    yield "png-palette-4-bit", Kind(pil(_INDEXED, format="PNG", bits=4), "pillow")
    yield "png-palette-clear", Kind(pil(_INDEXED, format="PNG", transparency=3), "pillow")
    steps = bytes([0, 255, 128, 0])
    yield "png-palette-steps", Kind(pil(_INDEXED, format="PNG", transparency=steps), "pillow")
    yield (
        "png-grey-clear",
        Kind(pil(_GREY, format="PNG", transparency=int(BYTES[0, 0, 0])), "pillow"),
    )
    colour = tuple(int(v) for v in BYTES[:3, 0, 0])
    yield "png-rgb-clear", Kind(pil(_RGB, format="PNG", transparency=colour), "pillow")
    side = band_of("<NoDataValue>7</NoDataValue>")
    yield "png-side-nodata", Kind(beside(rio(gaps(BYTES[:1], 7), driver="PNG"), ".aux.xml", side))


def _others():
    ways = {"": {}, "-progressive": {"progressive": True}, "-444": {"subsampling": 0}}
    for name, options in ways.items():
        yield f"jpeg-rgb{name}", Kind(pil(_SMOOTH, format="JPEG", **options), "pillow", 2)
    yield "jpeg-mask-behind", Kind(_masked_jpeg, levels=2)
    yield "jpeg-grey", Kind(pil(Image.fromarray(SMOOTH[0]), format="JPEG"), "pillow", 2)
    turned = Image.Exif()
    turned[0x0112] = 6
    yield "jpeg-turned", Kind(pil(_SMOOTH, format="JPEG", exif=turned), "pillow", 2)
    yield "webp-lossless", Kind(pil(_RGB, format="WEBP", lossless=True), "pillow")
    yield "webp-lossy", Kind(pil(_SMOOTH, format="WEBP"), "pillow")
    yield "webp-alpha", Kind(pil(_RGBA, format="WEBP", lossless=True, exact=True), "pillow")
    yield "bmp-rgb", Kind(pil(_RGB, format="BMP"))
    yield "bmp-grey", Kind(pil(_GREY, format="BMP"), "pillow")
    yield "bmp-palette", Kind(pil(_INDEXED, format="BMP"))
    whole = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    yield "jp2-13-bands", Kind(rio(COUNTS[:13], **whole))
    yield "jp2-rgb", Kind(rio(BYTES[:3], **whole))
    yield "jp2-i16", Kind(rio(COUNTS[:1].astype(np.int16) - 99, **whole))
    yield "jp2-rgba", Kind(pil(_RGBA, format="JPEG2000"), "pillow")
    yield "j2k-rgb", Kind(pil(_RGB, format="JPEG2000", no_jp2=True), "pillow")
    side = band_of("<NoDataValue>7</NoDataValue>")
    yield "jp2-side-nodata", Kind(beside(rio(gaps(BYTES[:1], 7), **whole), ".aux.xml", side))


KINDS = {
    name: kind
    for table in (
        _layouts,
        _types,
        _compressions,
        _colours,
        _missing,
        _scales,
        _pages,
        _png,
        _others,
    )
    for name, kind in table()
}

# How Pillow, which goes by suffix while writing, and people name the formats.
_SUFFIXES = {name: f".{name}" for name in ("png", "webp", "bmp", "jp2", "j2k")}
_SUFFIXES["jpeg"] = ".jpg"


def write_kind(folder, name):
    """Write one kind into a folder; its path."""
    first, _, rest = name.partition("-")
    suffix = ".tif" if rest.startswith("in-tiff") else _SUFFIXES.get(first, ".tif")
    path = folder / f"{name}{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # images without places
        KINDS[name].write(path)
    return path
