import numpy as np
import pytest
import tifffile

from featbank.datasets._tiff_tags import NotClassicTiff, read_tags
from featbank.datasets.geotiff import read_lonlat

SIZE, GEO = (256, 257), (33550, 33922, 34735)
# Pixel scale, tie point and keys of a 10 m grid in UTM zone 33.
GEO_TAGS = [
    (33550, 12, 3, (10.0, 10.0, 0.0), True),
    (33922, 12, 6, (0.0, 0.0, 0.0, 384000.0, 5342400.0, 0.0), True),
    (34735, 3, 8, (1, 1, 0, 1, 3072, 0, 1, 32633), True),
]


def by_tifffile(path):
    with tifffile.TiffFile(path) as tiff:
        values = {code: tiff.pages.first.tags.valueof(code) for code in (*SIZE, *GEO)}
    return {c: v if isinstance(v, tuple) else (v,) for c, v in values.items() if v is not None}


def write(path, **options):
    pixels = np.arange(120 * 100, dtype=np.uint16).reshape(120, 100)
    tifffile.imwrite(path, pixels, extratags=GEO_TAGS, metadata=None, **options)
    return path


def test_real_tags_equal_tifffile(shared):
    data = shared / "data"
    paths = [*data.glob("eurosat100/*/*/*.tif"), *data.glob("bigearthnet_v1/*/*/*.tif")]
    paths += data.glob("fixtures_real/**/*.tif")
    assert len(paths) > 300
    assert all(read_tags(path, {*SIZE, *GEO}) == by_tifffile(path) for path in paths)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders(tmp_path, order):
    path = write(tmp_path / "x.tif", byteorder=order)
    assert read_tags(path, {*SIZE, *GEO}) == by_tifffile(path)


def test_a_directory_behind_the_pixels(tmp_path):
    """As libtiff leaves a file that it appended to."""
    path = write(tmp_path / "x.tif")
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    directory = data[start : start + 2 + 12 * count + 4]
    data[4:8] = len(data).to_bytes(4, "little")
    path.write_bytes(data + directory)
    assert read_tags(path, {*SIZE, *GEO}) == by_tifffile(path)


def test_tags_that_are_not_there_are_left_out(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 4), np.uint8))
    assert read_tags(tmp_path / "x.tif", GEO) == {}


@pytest.mark.parametrize("size", [0, 3, 9, 100])
def test_a_file_cut_short_is_told(tmp_path, size):
    path = write(tmp_path / "x.tif")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(NotClassicTiff):
        read_tags(path, GEO)


def test_bigtiff_has_the_same_place(tmp_path):
    write(tmp_path / "small.tif")
    write(tmp_path / "big.tif", bigtiff=True)
    with pytest.raises(NotClassicTiff):
        read_tags(tmp_path / "big.tif", GEO)
    small, big = read_lonlat(tmp_path, ["small.tif", "big.tif"])
    np.testing.assert_array_equal(small, big)
    np.testing.assert_allclose(small, [13.445, 48.219], atol=1e-2)


def test_a_broken_file_has_no_place_and_does_not_hide_the_rest(tmp_path):
    write(tmp_path / "good.tif")
    (tmp_path / "broken.tif").write_bytes(b"hello")
    lonlat = read_lonlat(tmp_path, ["broken.tif", "good.tif"])
    assert np.isfinite(lonlat).all(axis=1).tolist() == [False, True]


def geo_tags(epsg, count=3):
    keys = (1, 1, 0, 1, 3072, 0, 1, epsg)
    return [(33550, 12, count, (10.0,) * count, True), GEO_TAGS[1], (34735, 3, 8, keys, True)]


@pytest.mark.parametrize("tags", [geo_tags(9), geo_tags(32633, count=1)])
def test_places_that_mean_nothing_do_not_hide_the_rest(tmp_path, tags):
    write(tmp_path / "good.tif")
    pixels = np.zeros((8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "odd.tif", pixels, extratags=tags, metadata=None)
    lonlat = read_lonlat(tmp_path, ["good.tif", "odd.tif"])
    assert lonlat is None or np.isfinite(lonlat).all(axis=1).tolist() == [True, False]


def test_a_tag_that_claims_gigabytes_is_not_read(tmp_path):
    path = write(tmp_path / "x.tif")
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[4:8], "little")
    for entry in range(start + 2, start + 2 + 12 * data[start], 12):
        if int.from_bytes(data[entry : entry + 2], "little") == GEO[0]:
            data[entry + 4 : entry + 8] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    with pytest.raises(NotClassicTiff, match="claims too much"):
        read_tags(path, GEO)
