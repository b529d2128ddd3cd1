"""Features of a store in tiles: equal to the whole array, and never all of it at once."""

import threading

import numpy as np
import pytest

from featbank.errors import StoreError, UnknownNameError
from featbank.knn.search import Plan, nearest
from featbank.store.feature_tiles import FeatureTiles
from featbank.store.reader import Store


@pytest.fixture
def store(finished):
    return Store(finished)


def joined(tiles, rows):
    pieces = list(tiles.tiles(rows))
    assert [start for start, _ in pieces] == list(range(0, len(tiles), rows))
    return np.concatenate([piece for _, piece in pieces])


@pytest.mark.parametrize("rows", [1, 50, 64, 1000])
def test_tiles_join_to_the_features(store, rows):
    np.testing.assert_array_equal(joined(FeatureTiles(store), rows), store.features())


def test_rows_layers_and_joined_features_are_chosen(store):
    rows = np.array([2, 3, 63, 64, 100, 149])
    tiles = FeatureTiles(store, "mean+cls", layer=3, rows=rows)
    assert (len(tiles), tiles.dim) == (6, 12)
    np.testing.assert_array_equal(joined(tiles, 4), store.features("mean+cls", layer=3)[rows])


def test_no_rows_give_no_tiles(store):
    assert list(FeatureTiles(store, rows=np.array([], dtype=int)).tiles(10)) == []


def test_no_more_than_one_shard_is_read_at_once(store, monkeypatch):
    spans = []
    read = FeatureTiles._read
    monkeypatch.setattr(
        FeatureTiles, "_read", lambda s, rows, out: spans.append(rows) or read(s, rows, out)
    )
    joined(FeatureTiles(store), 1000)
    assert [(rows[0], rows[-1]) for rows in spans] == [(0, 63), (64, 127), (128, 149)]


def test_the_next_tile_is_read_while_one_is_worked_on(store):
    tiles, came = FeatureTiles(store), threading.Event()
    read = tiles._tile
    tiles._tile = lambda start, rows: came.set() if start == 50 else read(start, rows)
    next(tiles.tiles(50))
    assert came.wait(10)


def test_a_search_in_a_store_equals_one_in_its_array(store):
    rows = np.flatnonzero(store.valid)
    features = store.features()[rows]
    plan = Plan(read_rows=40, tile_rows=16)
    found = nearest(features, FeatureTiles(store, rows=rows), k=5, plan=plan)
    np.testing.assert_array_equal(found, nearest(features, features, k=5))


@pytest.mark.parametrize("rows", [[3, 2], [2, 2], [-1, 4], [149, 150]])
def test_rows_out_of_order_or_range_are_refused(store, rows):
    with pytest.raises(StoreError, match="increasing order, or outside"):
        FeatureTiles(store, rows=np.array(rows))


def test_unknown_features_and_layers_are_refused(store):
    for arguments in ({"name": "clss"}, {"layer": 2}):
        with pytest.raises(UnknownNameError):
            FeatureTiles(store, **arguments)
