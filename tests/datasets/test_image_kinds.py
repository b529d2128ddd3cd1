"""Every kind of image that another reader reads: same pixels, same missing ones."""

import made_images
import numpy as np
import other_readers
import pytest
import tifffile
import torch

from featbank.datasets._folder_reader import FolderReader, bands_of, grid_of
from featbank.datasets.decode import examine, layout_of
from featbank.datasets.side_files import with_side_files
from featbank.inputs.contract import Contract
from featbank.inputs.normalise import published
from featbank.inputs.preprocess import InputRecipe, Preprocess
from featbank.inputs.reading import read_batch
from featbank.layers.image_statistics import ImageStatistics

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


@pytest.mark.parametrize("name", made_images.KINDS)
def test_features_equal_those_of_another_readers_valid_pixels(tmp_path, name):
    kind = made_images.KINDS[name]
    path = made_images.write_kind(tmp_path, name)
    expected = READERS[kind.reader](path)
    there = np.ma.MaskedArray(expected.pixels.astype(np.float64), expected.missing)
    if np.abs(there).max() > 2**24 and expected.pixels.dtype.kind in "iu":
        # Whole numbers that float32 skips make no features.
        with pytest.raises(AssertionError, match="networks see whole numbers up to 16777216"):
            image_statistics_of(path)
        return
    wanted = np.ma.stack(
        [getattr(there, statistic)(axis=(1, 2)) for statistic in ("mean", "std", "min", "max")]
    )
    found = image_statistics_of(path)
    assert found.keys() == {band for band in range(len(there)) if there[band].count()}
    for band, values in found.items():
        largest = np.abs(wanted[:, band]).max()
        np.testing.assert_allclose(
            values, wanted[:, band], rtol=1e-5, atol=1e-5 * largest + kind.levels
        )


def image_statistics_of(path):
    """What ``imagestats`` gives each band that is there, without normalisation."""
    layout = layout_of(examine(path))
    bands = bands_of(layout)
    names = tuple(band.name for band in bands)
    contract = Contract(
        grids=(grid_of(layout),), units=dict.fromkeys(names, "unknown"), allows_constant=True,
        max_missing=1.0, may_drop_bands=True,
    )  # fmt: skip
    reader = FolderReader(
        str(path.parent), np.array([path.name]), layout, with_side_files(path.parent, [path.name])
    )
    batch = read_batch(reader, [0], contract)
    if batch.refused == {0: "every pixel is missing"}:
        return {}
    assert not batch.refused, batch.refused
    (group,) = batch.groups
    prepare = Preprocess(
        InputRecipe(
            grids=contract.grids, bands=names, image_size=None, resize="nearest",
            statistics=published("none", bands, dataset="made"),
        ),
        torch.device("cpu"),
    )  # fmt: skip
    planes = {name: torch.from_numpy(array.copy()) for name, array in group.planes.items()}
    missing = prepare.missing(planes)
    shares = None if missing is None else missing.channels
    values = ImageStatistics()(prepare(planes), shares).reshape(4, len(bands)).numpy()
    return {band: values[:, band] for band in range(len(bands)) if names[band] not in group.absent}


def test_a_part_without_bytes_moves_no_other(tmp_path):
    """Its entry names a place, as other parts do, and a count of 0."""
    path = tmp_path / "x.tif"
    planes = made_images.BYTES[:4]
    form = {"photometric": "minisblack", "planarconfig": "separate", "metadata": None}
    tifffile.imwrite(path, planes, compression="zlib", rowsperstrip=planes.shape[1], **form)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        tag = file.pages.first.tags["StripByteCounts"]
        at, width = tag.valueoffset + 2 * (tag.valuebytecount // 4), tag.valuebytecount // 4
    data[at : at + width] = bytes(width)
    path.write_bytes(data)
    found = np.ma.getdata(examine(path).pixels)
    np.testing.assert_array_equal(found[[0, 1, 3]], planes[[0, 1, 3]])
    assert not found[2].any()
