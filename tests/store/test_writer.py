import json
import warnings

import numpy as np
import pytest
import xarray as xr
import zarr
from fake_store import LAYOUT, N, make_shard, make_store
from fake_trees import same_trees
from hypothesis import given
from hypothesis import strategies as st

from featbank.store.state import committed, is_finished
from featbank.store.writer import StoreWriter


def test_xarray_opens_a_finished_store_without_a_warning(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xr.open_zarr(finished).load()


def test_features_read_back_as_written(finished):
    expected = make_shard(StoreWriter(finished, LAYOUT, N), 1)["cls"]
    np.testing.assert_array_equal(zarr.open_array(finished / "cls")[64:128], expected)


def test_unwritten_rows_are_nan_for_any_reader(unfinished):
    assert np.isnan(zarr.open_array(unfinished / "mean")[64:128]).all()


def test_unwritten_rows_are_not_valid_for_any_reader(unfinished):
    assert not zarr.open_array(unfinished / "valid")[64:128].any()


def test_pending_names_the_shards_without_commit(unfinished):
    assert StoreWriter(unfinished, LAYOUT, N).pending() == [1]


def test_a_store_is_finished_only_with_all_commits(unfinished, finished):
    assert (is_finished(unfinished), is_finished(finished)) == (False, True)


def test_committed_counts_shards(unfinished):
    assert committed(unfinished) == (2, 3)


def test_bytes_that_belie_their_commit_are_pending_again(unfinished):
    group = zarr.open_group(unfinished, mode="r+", use_consolidated=False)
    group["cls"][3] = 0
    assert StoreWriter(unfinished, LAYOUT, N).pending() == [0, 1]


def test_a_lost_shard_file_is_pending_again(unfinished):
    (unfinished / "mean" / "c" / "2" / "0" / "0").unlink()
    assert StoreWriter(unfinished, LAYOUT, N).pending() == [1, 2]


def test_stray_partial_files_are_cleaned_at_start(unfinished):
    stray = unfinished / "cls" / "c" / ".0.4194305.partial"
    stray.write_bytes(b"torn")
    StoreWriter(unfinished, LAYOUT, N)
    assert not stray.exists()


def test_refused_rows_of_committed_shards_are_counted(unfinished):
    assert StoreWriter(unfinished, LAYOUT, N).refused([1]) == 1


def test_a_shard_equal_to_the_fill_value_has_a_file(finished):
    # No sample of the second shard is refused, so all its reasons are empty.
    assert (finished / "refused" / "c" / "1").exists()


def test_arrays_written_at_creation_carry_their_hash(finished):
    document = json.loads((finished / "sample_id" / "zarr.json").read_text())
    assert len(document["attributes"]["sha256"]) == 64


@given(order=st.permutations([0, 1, 2]), cut=st.integers(0, 3))
def test_any_order_and_any_cut_give_the_same_bytes(order, cut, tmp_path_factory, finished):
    path = make_store(tmp_path_factory.mktemp("cut") / "a.zarr", shards=())
    writer = StoreWriter(path, LAYOUT, N)
    for shard in order[:cut]:
        writer.write(shard, make_shard(writer, shard))
    again = StoreWriter(path, LAYOUT, N)
    for shard in again.pending():
        again.write(shard, make_shard(again, shard))
    again.finish()
    assert same_trees(path, finished)


def test_an_interrupted_creation_leaves_no_store(tmp_path, monkeypatch):
    monkeypatch.setattr("featbank.store.create.sample_arrays", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_store(tmp_path / "c.zarr")
    assert not (tmp_path / "c.zarr").exists()


def test_a_store_is_not_created_through_a_link(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("kept")
    (tmp_path / ".a.zarr.creating").symlink_to(victim)
    make_store(tmp_path / "a.zarr")
    assert [path.name for path in victim.iterdir()] == ["precious"]
    assert not (tmp_path / "a.zarr").is_symlink()
