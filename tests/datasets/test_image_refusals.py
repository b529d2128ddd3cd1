"""Images that are not read: each is refused by its name, before it costs memory."""

import struct
import tracemalloc
import zlib

import imagecodecs
import made_images
import numpy as np
import pytest
import tifffile
from made_images import BYTES, COUNTS, REALS, H, W, chunky, nodata, pages, pil, rio, tif
from PIL import Image

from featbank.datasets.decode import FileLayout, decode, examine
from featbank.datasets.decoding import refusals
from featbank.errors import DecodeError

UNIT = {"photometric": "minisblack"}
SMALL = COUNTS[0, ::2, ::2].copy()


def refused(path, match=None):
    with pytest.raises(DecodeError, match=match) as caught:
        examine(path)
    assert str(caught.value).startswith(path.name)


def opacity_first(file):
    from rasterio.enums import ColorInterp

    names = ("alpha", "red", "green", "blue")
    file.colorinterp = [ColorInterp[name] for name in names]


KINDS = {
    "complex": (tif(REALS[0].astype(np.complex64), **UNIT), "complex numbers"),
    "complex-doubles": (tif(REALS[0].astype(np.complex128), **UNIT), "complex numbers"),
    "white-is-0": (tif(BYTES[0], photometric="miniswhite"), "0 is white"),
    "inks": (tif(chunky(BYTES[:4]), photometric="separated"), "inks"),
    "lab": (tif(chunky(BYTES[:3]), photometric="cielab"), "CIELab"),
    "mosaic": (tif(COUNTS[0], photometric="cfa"), "mosaic"),
    "packed-ycbcr": (tif(chunky(BYTES[:3]), photometric="ycbcr"), "YCbCr"),
    "jpegxl": (tif(BYTES[0], compression="jpegxl", **UNIT), "compressed by method 50002"),
    "volume": (tif(COUNTS[:16], volumetric=True, tile=(16, 16, 16), **UNIT), "a volume"),
    "unequal-pages": (pages(COUNTS[0], SMALL), "2 full pages that differ"),
    "pages-of-indices": (
        pages(BYTES[0], BYTES[1], photometric="palette", colormap=np.tile(np.arange(256), (3, 1))),
        "2 pages of colour indices",
    ),
    "small-page-first": (pages(SMALL, COUNTS[0]), "2 full pages that differ"),
    "pages-of-two-types": (pages(COUNTS[0], REALS[0]), "full pages that differ"),
    "sparse-jpeg": (
        rio(np.zeros((1, 64, 64), "u1"), compress="JPEG", sparse_ok=True, **made_images.TILES),
        "leaves parts out",
    ),
    "jpeg-of-three-that-are-no-colours": (
        rio(made_images.SMOOTH, compress="JPEG", photometric="MINISBLACK"),
        "three bands as JPEG that are no colours",
    ),
    "opacity-in-metadata-alone": (rio(BYTES[:4], opacity_first), "calls band 1 opacity"),
    "nodata-blank": (tif(BYTES[0], **nodata(" ")), "no number"),
    "nodata-word": (tif(BYTES[0], **nodata("none")), "no number"),
    "nodata-power-of-64-bits": (tif(COUNTS[0].astype("u8"), **nodata("1e19")), "no number"),
    "nodata-number-and-word": (tif(BYTES[0], **nodata("2 or 3")), "no number"),
    "scale-0": (rio(COUNTS[:1], made_images.scaled([0.0], [0.0])), "scale and offset"),
    "stack-in-one-page": (
        tif(COUNTS[:3], metadata={"axes": "QYX"}, truncate=True, **UNIT),
        "stack of 3 pages written as one",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_would_be_read_wrongly_is_refused(tmp_path, name):
    write, match = KINDS[name]
    write(tmp_path / "x.tif")
    refused(tmp_path / "x.tif", match)


def test_sparse_half_floats_are_refused(tmp_path):
    path = made_images.write_kind(tmp_path, "sparse-f32-nodata")
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags["BitsPerSample"].overwrite(16)
    refused(path, "half floats")


def test_a_mask_of_another_size_is_refused(tmp_path):
    mask = (np.ones((4, 4), bool), {"subfiletype": 4, "photometric": "mask"})
    pages(COUNTS[0], mask)(tmp_path / "x.tif")
    refused(tmp_path / "x.tif", "masks that do not fit")


@pytest.mark.parametrize("mode", ["CMYK"])
def test_a_jpeg_of_inks_is_refused(tmp_path, mode):
    pil(Image.fromarray(chunky(BYTES[:4]), mode), format="JPEG")(tmp_path / "x.jpg")
    refused(tmp_path / "x.jpg", "JPEG of inks")


def test_an_animation_is_refused(tmp_path):
    frames = [Image.fromarray(chunky(BYTES[i : i + 3])) for i in (0, 3)]
    frames[0].save(tmp_path / "x.webp", save_all=True, append_images=frames[1:])
    refused(tmp_path / "x.webp", "animation")


def test_components_of_two_sizes_are_refused(tmp_path):
    image = Image.fromarray(chunky(BYTES[:3]))
    image.save(tmp_path / "x.jp2")
    data = bytearray((tmp_path / "x.jp2").read_bytes())
    at = data.index(b"\xff\x4f\xff\x51") + 42
    data[at + 1 : at + 3] = b"\x02\x02"
    (tmp_path / "x.jp2").write_bytes(data)
    refused(tmp_path / "x.jp2", "several sizes")


WRITTEN = {
    "png": lambda: imagecodecs.png_encode(chunky(BYTES[:3])),
    "jpg": lambda: imagecodecs.jpeg_encode(chunky(BYTES[:3])),
    "webp": lambda: imagecodecs.webp_encode(chunky(BYTES[:3]), lossless=True),
    "jp2": lambda: imagecodecs.jpeg2k_encode(chunky(BYTES[:3])),
    "bmp": lambda: imagecodecs.bmp_encode(chunky(BYTES[:3])),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_an_image_cut_short_is_refused(tmp_path, kind, share):
    data = WRITTEN[kind]()
    path = tmp_path / f"x.{kind}"
    path.write_bytes(data[: max(1, int(share * len(data)))])
    refused(path)


@pytest.mark.parametrize("name", ["u16-pixel-strips", "u16-band-tiles", "packed-LZW", "mask-page"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_a_tiff_cut_short_is_refused(tmp_path, name, share):
    path = made_images.write_kind(tmp_path, name)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(path)


def sized(kind, side):
    """A small file whose header claims (side, side) pixels."""
    if kind == "tif":
        return _sized_tiff(side)
    data = bytearray(WRITTEN[kind]())
    if kind == "png":
        data[16:24] = struct.pack(">II", side, side)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "jpg":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", side, side)
    elif kind == "jp2":
        at = data.index(b"\xff\x4f\xff\x51") + 8
        data[at : at + 8] = struct.pack(">II", side, side)
    elif kind == "bmp":
        data[18:26] = struct.pack("<ii", side, side)
    return bytes(data)


def _sized_tiff(side):
    tags = {256: side, 257: side, 258: 16, 259: 8, 262: 1, 273: 8, 277: 1, 278: side, 279: 8}
    entries = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in tags.items())
    packed = zlib.compress(b"")
    return (
        b"II*\0"
        + struct.pack("<I", 16)
        + packed
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )


@pytest.mark.parametrize("kind", ["png", "jpg", "jp2", "bmp", "tif"])
@pytest.mark.parametrize("side", [0, 20_000, 65_500])
def test_a_header_that_claims_too_much_costs_no_memory(tmp_path, kind, side):
    path = tmp_path / f"x.{kind}"
    path.write_bytes(sized(kind, side))
    tracemalloc.start()
    try:
        refused(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_the_claim_is_told(tmp_path):
    (tmp_path / "x.jpg").write_bytes(sized("jpg", 65_500))
    refused(tmp_path / "x.jpg", r"claims 65500 × 65500 pixels of 3 bands.*at most 32,767 px a side")


def test_a_tile_that_claims_too_much_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", COUNTS[0], tile=(16, 16), metadata=None)
    with tifffile.TiffFile(tmp_path / "x.tif", mode="r+b") as file:
        file.pages[0].tags["TileWidth"].overwrite(65_520)
        file.pages[0].tags["TileLength"].overwrite(65_520)
    refused(tmp_path / "x.tif", "claims tiles of 65520 × 65520")


def test_pages_that_claim_too_much_together_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(refusals, "MAX_DECODED_BYTES", 3 * COUNTS[0].nbytes)
    pages(*COUNTS[:4])(tmp_path / "x.tif")
    refused(tmp_path / "x.tif", f"claims {H} × {W} pixels of 4 bands")


def test_pages_without_end_are_refused(tmp_path):
    pages(COUNTS[0], COUNTS[1])(tmp_path / "x.tif")
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        second = file.pages[1].offset
        count = len(file.pages[1].tags)
    data = bytearray((tmp_path / "x.tif").read_bytes())
    struct.pack_into("<I", data, second + 2 + 12 * count, second)
    (tmp_path / "x.tif").write_bytes(data)
    refused(tmp_path / "x.tif", "no end")


def test_want_of_memory_is_a_refusal(tmp_path, monkeypatch):
    def decode_nothing(*_args, **_options):
        raise MemoryError

    made_images.write_kind(tmp_path, "packed-LZW")
    monkeypatch.setattr(imagecodecs, "tiff_decode", decode_nothing)
    refused(tmp_path / "packed-LZW.tif", "not enough memory")


def test_a_file_longer_than_a_chip_is_not_read(tmp_path):
    with (tmp_path / "x.tif").open("wb") as file:
        file.truncate(refusals.MAX_FILE_BYTES + 1)
    refused(tmp_path / "x.tif", "1,024 MiB")


ITEM = "<GDALMetadata><Item {}>2</Item></GDALMetadata>"
NO_METADATA = [
    ITEM.format('role="scale"'),
    ITEM.format('name="SCALE" role="scale"'),
    ITEM.format('name="INTERNAL_MASK_FLAGS_2"'),
    "<Other/>",
    "<GDALMetadata><Item",
    "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>",
]


@pytest.mark.parametrize("text", NO_METADATA)
def test_damaged_metadata_is_refused(tmp_path, text):
    tif(COUNTS[0], extratags=[(42112, "s", 0, text, True)])(tmp_path / "x.tif")
    refused(tmp_path / "x.tif", "GDAL metadata")


@pytest.mark.parametrize("text", ["", "no XML", "<PAMDataset><PAMRasterBand/></PAMDataset>"])
def test_a_damaged_side_file_is_refused_by_its_name(tmp_path, text):
    rio(COUNTS[:1])(tmp_path / "x.tif")
    (tmp_path / "x.tif.aux.xml").write_text(text)
    with pytest.raises(DecodeError, match=r"^x\.tif\.aux\.xml: "):
        examine(tmp_path / "x.tif")


def test_a_mask_file_that_is_no_tiff_is_refused_by_its_name(tmp_path):
    rio(COUNTS[:1])(tmp_path / "x.tif")
    (tmp_path / "x.tif.msk").write_bytes(b"hello world")
    with pytest.raises(DecodeError, match=r"^x\.tif\.msk: "):
        examine(tmp_path / "x.tif")


def test_the_other_layout_is_never_transposed_and_kept(tmp_path):
    """Both files hold 8 × 8 × 8 numbers, so that shapes tell nothing."""
    cube = BYTES[:8, :8, :8]
    layout = FileLayout(bands=8, dtype="uint8")
    for name in ("8x8x8-planar", "8x8x8-chunky"):
        data = made_images.write_kind(tmp_path, name).read_bytes()
        np.testing.assert_array_equal(decode(data, name=name, layout=layout), cube)


@pytest.mark.parametrize("name", ["nodata-f32-rounded", "png-rgb-clear", "sparse-f32-nodata"])
def test_libraries_say_nothing_on_the_terminal(tmp_path, capfd, name):
    examine(made_images.write_kind(tmp_path, name))
    assert capfd.readouterr() == ("", "")


def test_a_damaged_chunk_is_refused_in_silence(tmp_path, capfd):
    path = made_images.write_kind(tmp_path, "png-grey-clear")
    data = bytearray(path.read_bytes())
    data[data.index(b"tRNS") + 5] ^= 1
    path.write_bytes(data)
    refused(path, "wrong checksum")
    assert capfd.readouterr() == ("", "")


def test_a_colour_table_beside_an_image_is_refused(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(BYTES[0]).save(path)
    table = "<PAMRasterBand band='1'><ColorTable/></PAMRasterBand>"
    path.with_name("x.png.aux.xml").write_text(f"<PAMDataset>{table}</PAMDataset>")
    with pytest.raises(DecodeError, match="x.png.aux.xml: holds a colour table"):
        examine(path)
