"""Every kind of image that another reader reads: same pixels, same missing ones."""

import made_images
import numpy as np
import other_readers
import pytest

from featbank.datasets.decode import examine

READERS = {
    "rasterio": other_readers.by_rasterio,
    "pillow": other_readers.by_pillow,
    "tifffile": other_readers.by_tifffile,
}


@pytest.mark.parametrize("name", made_images.KINDS)
def test_pixels_and_missing_ones_equal_another_reader(tmp_path, name):
    kind = made_images.KINDS[name]
    path = made_images.write_kind(tmp_path, name)
    expected = READERS[kind.reader](path)
    pixels = examine(path).pixels
    missing = np.ma.getmaskarray(pixels)
    np.testing.assert_array_equal(missing, expected.missing)
    assert isinstance(pixels, np.ma.MaskedArray) == bool(missing.any())
    assert pixels.shape == expected.pixels.shape
    ours, theirs = np.ma.getdata(pixels)[~missing], expected.pixels[~missing]
    if kind.levels:
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= kind.levels
    else:
        assert (ours.dtype == theirs.dtype) or theirs.dtype == bool
        np.testing.assert_array_equal(ours, theirs)
