"""Boxes, CRS and centres of GeoTIFFs against rasterio, an independent reader."""

import numpy as np
import pytest
import rasterio
import tifffile
from rasterio.transform import Affine
from rasterio.warp import transform as warp

from featbank.datasets.geotiff import read_lonlat, read_places

UTM = Affine(10.0, 0.0, 384_000.0, 0.0, -10.0, 5_342_400.0)
DEGREES = Affine(1e-4, 0.0, 13.0, 0.0, -1e-4, 48.0)


def write(path, transform=UTM, crs="EPSG:32633", shape=(30, 20), **options):
    """A GeoTIFF as GDAL writes it."""
    pixels = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(1, *shape)
    with rasterio.open(
        path, "w", driver="GTiff", width=shape[1], height=shape[0], count=1, dtype="uint16",
        crs=crs, transform=transform, **options,
    ) as file:  # fmt: skip
        file.write(pixels)
    return path


def by_rasterio(path):
    """Box of the four corners, CRS and centre."""
    with rasterio.open(path) as file:
        a, b, c, d, e, f = file.transform[:6]
        columns, rows = np.array([[0, 0], [file.width, 0], [0, file.height], file.shape[::-1]]).T
        x, y = a * columns + b * rows + c, d * columns + e * rows + f
        box = [x.min(), y.min(), x.max(), y.max()]
        crs = f"EPSG:{file.crs.to_epsg()}"
        lon, lat = warp(file.crs, "EPSG:4326", [(box[0] + box[2]) / 2], [(box[1] + box[3]) / 2])
    return box, crs, [lon[0], lat[0]]


def same_as_rasterio(folder, *names):
    found = read_places(folder, names)
    for row, name in enumerate(names):
        box, crs, lonlat = by_rasterio(folder / name)
        np.testing.assert_allclose(found.bbox[row], box, rtol=1e-12)
        assert found.crs[row] == crs
        np.testing.assert_allclose(found.lonlat[row], lonlat, atol=1e-8)
    return True


GRIDS = {
    "utm": {},
    "utm south": {"crs": "EPSG:32733", "transform": Affine(10, 0, 384e3, 0, -10, 6_342_400)},
    "landsat counts southern northings from the northern origin": {
        "transform": Affine(30, 0, 384e3, 0, -30, -3_000_000)
    },
    "degrees": {"crs": "EPSG:4326", "transform": DEGREES},
    "nad83": {"crs": "EPSG:4269", "transform": Affine(1e-4, 0, -95.0, 0, -1e-4, 40.0)},
    "european laea": {"crs": "EPSG:3035", "transform": Affine(10, 0, 4.3e6, 0, -10, 3.2e6)},
    "lambert 93": {"crs": "EPSG:2154", "transform": Affine(1, 0, 650e3, 0, -1, 6.86e6)},
    "web mercator": {"crs": "EPSG:3857", "transform": Affine(10, 0, 1.5e6, 0, -10, 6.1e6)},
    "us feet": {"crs": "EPSG:2263", "transform": Affine(3, 0, 980e3, 0, -3, 200e3)},
    "new zealand": {"crs": "EPSG:2193", "transform": Affine(10, 0, 1.75e6, 0, -10, 5.92e6)},
    "polar": {"crs": "EPSG:3413", "transform": Affine(10, 0, -1e5, 0, -10, -2e5)},
    "not square": {"transform": Affine(10, 0, 384e3, 0, -25, 5_342_400)},
    "south up": {"transform": Affine(10, 0, 384e3, 0, 10, 5_342_400)},
    "rotated": {"transform": Affine(8.66, 5.0, 384e3, 5.0, -8.66, 5_342_400)},
    "sheared": {"transform": Affine(10, 2.1, 384e3, 0.9, -10, 5_342_400)},
    "pixel is point": {"AREA_OR_POINT": "Point"},
    "bigtiff": {"BIGTIFF": "YES"},
    "big endian": {"ENDIANNESS": "BIG"},
    "tiled": {"tiled": True, "blockxsize": 16, "blockysize": 16},
    "norway's wide zone": {"crs": "EPSG:32632", "transform": Affine(10, 0, 200e3, 0, -10, 6.7e6)},
    "antimeridian": {"crs": "EPSG:32601", "transform": Affine(10, 0, 165e3, 0, -10, 1e5)},
}  # fmt: skip


@pytest.mark.parametrize("kind", GRIDS)
def test_places_equal_rasterio(kind, tmp_path):
    options = dict(GRIDS[kind])
    point = options.pop("AREA_OR_POINT", None)
    write(tmp_path / "x.tif", **options)
    if point:
        with rasterio.open(tmp_path / "x.tif", "r+") as file:
            file.update_tags(AREA_OR_POINT=point)
    assert same_as_rasterio(tmp_path, "x.tif")


def test_a_point_raster_is_half_a_pixel_aside(tmp_path):
    """Both files bear the same tie point; in one it is a corner, in the other a centre."""
    keys = {
        "area": (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633),
        "point": (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 2, 3072, 0, 1, 32633),
    }
    for name, own in keys.items():
        tags = [
            (33550, 12, 3, (10.0, 10.0, 0.0), True),
            (33922, 12, 6, (0.0, 0.0, 0.0, 384000.0, 5342400.0, 0.0), True),
            (34735, 3, len(own), own, True),
        ]
        pixels = np.zeros((12, 10), np.uint16)
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, extratags=tags, metadata=None)
    found = read_places(tmp_path, ["area.tif", "point.tif"])
    np.testing.assert_array_equal(found.bbox[1] - found.bbox[0], [-5, 5, -5, 5])
    assert same_as_rasterio(tmp_path, "area.tif", "point.tif")


def test_real_files_equal_rasterio(shared):
    data = shared / "data"
    paths = [*data.glob("eurosat100/*/*/*.tif"), *data.glob("idtrees/RemoteSensing/*/*.tif")]
    paths += data.glob("bigearthnet_v1/*/*/*.tif")
    names = [str(path.relative_to(data)) for path in sorted(paths)[::7]]
    assert len(names) > 50
    assert same_as_rasterio(data, *names)


OUTSIDE = {
    "an easting of another world": {"transform": Affine(10, 0, 5e6, 0, -10, 5.3e6)},
    "pixel numbers": {"transform": Affine(1, 0, 0, 0, -1, 30)},
    "a negative easting": {"transform": Affine(10, 0, -2e5, 0, -10, 5.3e6)},
    "metres as degrees": {"crs": "EPSG:4326"},
    "longitudes to 360": {"crs": "EPSG:4326", "transform": Affine(1e-4, 0, 200, 0, -1e-4, 48)},
    "beyond the pole": {"crs": "EPSG:4326", "transform": Affine(1e-4, 0, 20, 0, -1e-4, 91)},
    "france in the sea": {"crs": "EPSG:2154", "transform": Affine(1, 0, 5e6, 0, -1, 1e6)},
    "an infinity": {"crs": "EPSG:3857", "transform": Affine(10, 0, 1e300, 0, -10, 0)},
}  # fmt: skip


@pytest.mark.parametrize("kind", OUTSIDE)
def test_coordinates_outside_their_crs_are_no_places(kind, tmp_path):
    write(tmp_path / "bad.tif", **OUTSIDE[kind])
    write(tmp_path / "good.tif")
    found = read_places(tmp_path, ["bad.tif", "good.tif"])
    assert np.isnan(found.lonlat[0]).all()
    assert np.isnan(found.bbox[0]).all()
    assert found.crs.tolist() == ["", "EPSG:32633"]
    (note,) = found.notes
    assert note.startswith("1 of 2 files bear coordinates outside their CRS, the first is")


UNKNOWN = {
    "no crs": {"crs": None},
    "a crs of nobody's": {"crs": "+proj=laea +lat_0=10 +lon_0=20 +x_0=1 +y_0=2 +ellps=bessel"},
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_grid_without_an_epsg_code_has_no_place(kind, tmp_path):
    write(tmp_path / "bad.tif", **UNKNOWN[kind])
    assert read_lonlat(tmp_path, ["bad.tif"]) is None
    assert read_places(tmp_path, ["bad.tif"]).notes == ()


def test_a_projected_model_without_its_code_is_not_read_as_degrees(tmp_path):
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 2048, 0, 1, 4326)
    tags = [
        (33550, 12, 3, (10.0, 10.0, 0.0), True),
        (33922, 12, 6, (0.0, 0.0, 0.0, 12.0, 48.0, 0.0), True),
        (34735, 3, len(keys), keys, True),
    ]
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 4), np.uint8), extratags=tags, metadata=None)
    assert read_lonlat(tmp_path, ["x.tif"]) is None


def test_files_with_places_keep_them_beside_files_without(tmp_path):
    """One file that was no TIFF dropped the places of all."""
    write(tmp_path / "a.tif")
    (tmp_path / "b.png").write_bytes(b"whatever")
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((4, 4), np.uint8))
    (tmp_path / "d.tif").write_bytes(b"II*\0")
    found = read_places(tmp_path, ["a.tif", "b.png", "c.tif", "d.tif"])
    assert np.isfinite(found.lonlat).all(axis=1).tolist() == [True, False, False, False]
    assert found.notes == ("3 of 4 files have no place, the first is 'b.png'",)


def test_a_broken_grid_has_no_place(tmp_path):
    for name, scale in (("zero", (0.0, 0.0, 0.0)), ("nan", (np.nan, 1.0, 0.0))):
        tags = [
            (33550, 12, 3, scale, True),
            (33922, 12, 6, (0.0, 0.0, 0.0, 384000.0, 5342400.0, 0.0), True),
            (34735, 3, 8, (1, 1, 0, 1, 3072, 0, 1, 32633), True),
        ]
        pixels = np.zeros((4, 4), np.uint8)
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, extratags=tags, metadata=None)
    assert read_lonlat(tmp_path, ["zero.tif", "nan.tif"]) is None


@pytest.mark.parametrize(
    ("crs", "corner"),
    [("EPSG:4326", (200.0, 10.0)), ("EPSG:4326", (20.0, 95.0)), ("EPSG:32633", (5e6, 5e6))],
)
def test_a_folder_whose_files_all_lie_outside_says_so(tmp_path, crs, corner):
    from featbank.sources.opening import open_dataset

    (tmp_path / "d" / "a").mkdir(parents=True)
    for number in range(4):
        transform = Affine(1e-4, 0, corner[0] + number, 0, -1e-4, corner[1])
        write(tmp_path / "d" / "a" / f"{number}.tif", transform, crs)
    dataset = open_dataset(str(tmp_path / "d"))
    assert dataset.samples.lonlat is None
    (note,) = [note for note in dataset.notes if "coordinates" in note]
    assert note.startswith("4 of 4 files bear coordinates outside their CRS, the first is 'a/0")
