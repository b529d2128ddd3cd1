import pickle

import numpy as np
import pytest

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets.chip_layout import BLOCK_CHIPS, chip_corners, chip_window, spiral
from featbank.datasets.synthetic_s2 import Sentinel2Reader
from featbank.errors import UsageError
from featbank.landscape.landscape import Landscape, dominant_class
from featbank.landscape.noise import Window
from featbank.landscape.view import NOISE_STD, box_mean


@pytest.fixture(scope="module")
def small():
    return DATASETS["synthetic-s2"].open(DatasetRequest(chips=40))


def test_chips_have_the_declared_grids(small):
    image = small.reader.read(3)
    declared = {g.name: ((len(g.bands), *g.size_px), g.dtype) for g in small.grids}
    assert {k: (v.shape, v.dtype.name) for k, v in image.items()} == declared


def test_bands_are_in_the_order_of_the_grids(small):
    assert [b.name for b in small.bands] == [name for g in small.grids for name in g.bands]


def test_reading_twice_gives_equal_bytes(small):
    first, again = small.reader.read(7), small.reader.read(7)
    assert all(np.array_equal(first[grid], again[grid]) for grid in first)


def test_a_pickled_reader_reads_the_same(small):
    again = pickle.loads(pickle.dumps(small.reader))
    assert np.array_equal(again.read(5)["20m"], small.reader.read(5)["20m"])


def test_samples_are_the_same_whatever_their_number(small):
    more = DATASETS["synthetic-s2"].open(DatasetRequest(chips=70)).samples
    few = small.samples
    assert np.array_equal(more.ids[:40], few.ids)
    assert np.array_equal(more.labels["dominant"].codes[:40], few.labels["dominant"].codes)
    assert np.array_equal(more.lonlat[:40], few.lonlat)
    assert np.array_equal(more.origins[:40], few.origins)


def test_one_chip_can_be_opened():
    assert len(DATASETS["synthetic-s2"].open(DatasetRequest(chips=1)).samples) == 1


def test_no_chip_at_all_is_refused():
    with pytest.raises(UsageError, match="at least 1"):
        DATASETS["synthetic-s2"].open(DatasetRequest(chips=0))


def test_labels_are_the_dominant_class_of_the_cover_map(small):
    land = Landscape()
    expected = [dominant_class(land.cover(chip_window(index))) for index in range(40)]
    assert small.samples.labels["dominant"].codes.tolist() == expected


def test_groups_are_blocks_of_sixteen_chips(small):
    groups = small.samples.group
    assert len(set(groups[:BLOCK_CHIPS])) == 1
    assert groups[BLOCK_CHIPS] != groups[BLOCK_CHIPS - 1]


def test_adjoining_chips_continue_one_cover_map():
    left, right = chip_window(4), chip_window(5)
    both = Landscape().cover(
        Window(row=left.row, column=left.column, height=left.height, width=240)
    )
    parts = [Landscape().cover(window) for window in (left, right)]
    np.testing.assert_array_equal(both, np.concatenate(parts, axis=1))


def test_chips_never_overlap():
    corners = chip_corners(np.arange(5000))
    assert len(np.unique(corners, axis=0)) == 5000
    assert not np.any(corners % 120)


def test_the_spiral_visits_every_place_once():
    places = spiral(np.arange(81))
    assert sorted(map(tuple, places.tolist())) == [
        (y, x) for y in range(-4, 5) for x in range(-4, 5)
    ]


def test_the_spiral_moves_one_step_at_a_time():
    steps = np.abs(np.diff(spiral(np.arange(500)), axis=0)).sum(axis=1)
    assert set(steps.tolist()) == {1}


def test_neighbours_stand_one_chip_apart_on_the_ground(small):
    lon, lat = small.samples.lonlat[:2].T
    metres = np.hypot(np.diff(lon) * 111_320 * np.cos(np.radians(lat[0])), np.diff(lat) * 111_320)
    assert metres[0] == pytest.approx(1200, rel=0.01)


def test_numbers_are_plausible_dn(small):
    chips = [small.reader.read(index) for index in range(20)]
    values = np.concatenate([grid.ravel() for chip in chips for grid in chip.values()])
    assert values.min() >= 1
    assert values.max() < 20_000
    assert 300 < np.median(values) < 3000


def test_vegetation_is_brighter_in_the_near_infrared(small):
    forest = np.flatnonzero(np.isin(small.samples.labels["dominant"].codes, (1, 2)))
    image = small.reader.read(int(forest[0]))["10m"].mean(axis=(1, 2))
    names = small.grids[0].bands
    assert image[names.index("B08")] > 2 * image[names.index("B04")]


def test_coarse_grids_are_box_means_of_the_scene():
    # Noise is all that stands between a coarse grid and the mean of the scene's pixels: once the
    # chip's own light is fitted away, what remains has the noise's size.
    reader = Sentinel2Reader(landscape=Landscape())
    spec = DATASETS["synthetic-s2"]
    scene = reader.landscape.reflectance(reader.landscape.ground(chip_window(2)), spec.bands)
    seen = reader.read(2)["20m"][0].ravel() / 1e4
    boxes = box_mean(scene[4:5], 2)[0].ravel()
    gain, haze = np.polyfit(boxes, seen, 1)
    assert np.std(seen - gain * boxes - haze) == pytest.approx(NOISE_STD, rel=0.1)
