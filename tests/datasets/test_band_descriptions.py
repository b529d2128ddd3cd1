import numpy as np
import pytest
import tifffile

from featbank.datasets.band_descriptions import described_wavelengths
from featbank.errors import DatasetError


def write(path, *items):
    """Three bands, with GDAL metadata items of (name, role, band, text)."""
    text = "".join(
        f'<Item name="{name}" sample="{band}"'
        + (f' role="{role}"' if role else "")
        + f">{words}</Item>"
        for name, role, band, words in items
    )
    tags = [(42112, 2, 0, f"<GDALMetadata>{text}</GDALMetadata>".encode(), True)] if items else []
    pixels = np.zeros((4, 4, 3), np.uint16)
    tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig", extratags=tags)
    return path


def described(*words):
    return [("DESCRIPTION", "description", band, text) for band, text in enumerate(words)]


@pytest.mark.parametrize(
    "words",
    [
        ("466.1 nm", "550 nm", "1613.7 nm"),
        ("0.4661 um", "0.55 µm", "1.6137 micrometers"),
        ("466.1", "550", "1613.7"),
        ("Band 1 (466.1 Nanometers)", "Band 2 (550.0 Nanometers)", "Band 3 (1613.7 Nanometers)"),
    ],
)
def test_descriptions_are_read_as_they_are_written(tmp_path, words):
    path = write(tmp_path / "x.tif", *described(*words))
    assert described_wavelengths([path]) == (0.4661, 0.55, 1.6137)


def test_items_of_that_name_are_read(tmp_path):
    items = [("wavelength", "", band, str(nm)) for band, nm in enumerate((466.1, 550, 1613.7))]
    items += [("wavelength_units", "", band, "Nanometers") for band in range(3)]
    assert described_wavelengths([write(tmp_path / "x.tif", *items)]) == (0.4661, 0.55, 1.6137)


@pytest.mark.parametrize("words", [(), ("466 nm", "green", "1614 nm"), ("466 nm", "550 nm")])
def test_a_band_without_wavelength_is_told(tmp_path, words):
    with pytest.raises(DatasetError, match="x.tif: does not say what the wavelength of band"):
        described_wavelengths([write(tmp_path / "x.tif", *described(*words))])


def test_files_that_disagree_are_told(tmp_path):
    a = write(tmp_path / "a.tif", *described("466 nm", "550 nm", "665 nm"))
    b = write(tmp_path / "b.tif", *described("466 nm", "665 nm", "550 nm"))
    with pytest.raises(DatasetError, match="b.tif: gives its bands other wavelengths"):
        described_wavelengths([a, b])


def test_a_file_that_is_no_tiff_says_nothing(tmp_path):
    (tmp_path / "x.tif").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="x.tif: does not say"):
        described_wavelengths([tmp_path / "x.tif"])


def test_gdals_own_descriptions_are_read(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    profile = {"driver": "GTiff", "width": 4, "height": 4, "count": 2, "dtype": "uint16"}
    profile["transform"] = rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)
    with rasterio.open(tmp_path / "x.tif", "w", **profile) as file:
        file.write(np.ones((2, 4, 4), np.uint16))
        file.descriptions = ("490 nm", "0.665 micrometers")
    assert described_wavelengths([tmp_path / "x.tif"]) == (0.49, 0.665)
