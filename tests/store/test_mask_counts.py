"""Pixels of label maps, counted shard by shard as a plain loop does."""

import numpy as np
import pytest
import zarr
from small_store import make_small_store

from featbank.errors import StoreError
from featbank.store.mask_counts import count_pixels, mask_classes, mask_counts


def made_masks(tmp_path, pixels):
    return zarr.create_array(
        tmp_path / "m.zarr", data=pixels.astype(np.int16), chunks=(2, 3, 3), shards=(4, 3, 3)
    )


def test_pixels_are_counted_by_group_and_class(tmp_path):
    rng = np.random.default_rng(0)
    pixels, groups = rng.integers(-1, 3, (11, 3, 3)), np.arange(11) % 2
    rows = np.arange(11) != 5
    expected = np.zeros((2, 3), dtype=int)
    for i in np.flatnonzero(rows):
        for value in pixels[i].ravel():
            if value >= 0:
                expected[groups[i], value] += 1
    found = count_pixels(made_masks(tmp_path, pixels), rows, groups, 3)
    np.testing.assert_array_equal(found, expected)


def test_a_class_without_a_name_is_told(tmp_path):
    masks = made_masks(tmp_path, np.full((2, 3, 3), 7))
    with pytest.raises(StoreError, match="name class 7; expected indices below 3"):
        count_pixels(masks, np.ones(2, bool), np.zeros(2, int), 3)


def test_a_store_without_label_maps_says_so(tmp_path):
    store = make_small_store(tmp_path / "s.zarr", ["a", "b"], [[1.0], [2.0]])
    assert mask_classes(store) == ()
    with pytest.raises(StoreError, match="it keeps no label maps"):
        mask_counts(store)
