import shutil
from pathlib import Path

import numpy as np
import pytest
from fake_store import N

from featbank.errors import MissingPathError, StoreError, UnfinishedStoreError, UnknownNameError
from featbank.store.reader import Store
from featbank.store.stored import stored_values


@pytest.fixture
def store(finished):
    return Store(finished)


def test_length_is_the_number_of_samples(store):
    assert len(store) == N


def test_ids_read_back_with_their_accents(store):
    assert store.ids[3] == "chip-003-é"


def test_features_default_to_the_backbones_own(store):
    np.testing.assert_array_equal(store.features(), store.features("cls", layer=11))


def test_layers_are_told_apart(store):
    assert not np.array_equal(store.features("cls", layer=3), store.features("cls", layer=11))


def test_plus_joins_features_side_by_side(store):
    joined = store.features("cls+mean")
    np.testing.assert_array_equal(joined[:, 6:], store.features("mean"))


def test_refused_rows_have_nan_features(store):
    assert np.isnan(store.features()[7]).all()


def test_xy_leaves_out_refused_excluded_and_unlabelled_rows(store):
    X, y = store.xy("train")
    rows = (store.split() == "train") & store.valid & (store.exclude == "") & (store.labels() >= 0)
    assert (len(X), len(y)) == (rows.sum(), rows.sum())


def test_xy_never_gives_nan(store):
    assert all(np.isfinite(store.xy(split)[0]).all() for split in ("train", "val", "test"))


def test_xy_takes_multilabel_sets(store):
    assert store.xy("test", labels="kinds")[1].shape[1] == 2


def test_classes_are_named(store):
    assert store.classes("cover") == ("water", "wood", "town")


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.features("clss"),
        lambda store: store.features(layer=2),
        lambda store: store.labels("covers"),
        lambda store: store.split("random-9"),
        lambda store: store.xy("trainn"),
        lambda store: store.show(["nobody"]),
    ],
)
def test_unknown_names_are_named_errors(store, call):
    with pytest.raises(UnknownNameError, match="expected one of"):
        call(store)


def test_a_near_name_is_suggested(store):
    with pytest.raises(UnknownNameError, match="Did you mean 'cls'"):
        store.features("clss")


def test_to_pandas_has_one_row_a_sample(store):
    assert len(store.to_pandas()) == N


def test_to_pandas_names_classes(store):
    frame = store.to_pandas()
    assert set(frame["label_cover"]) == {"water", "wood", "town", ""}


def test_to_xarray_is_aligned_with_the_features(store):
    lazy = store.to_xarray()["mean"].sel(layer=11).to_numpy()
    np.testing.assert_array_equal(lazy, store.features("mean"))


def test_time_is_read_as_times_and_unknown_times_as_such(store):
    times = store.to_xarray()["time"].to_numpy()
    assert str(times[0]).startswith("2017-07-14T02:40:00")
    assert np.isnat(times).tolist() == [row == 3 for row in range(len(store))]


def test_to_pandas_gives_the_times_that_xarray_gives(store):
    np.testing.assert_array_equal(store.to_pandas()["time"], store.to_xarray()["time"].to_numpy())


def test_an_unfinished_store_names_the_command_that_finishes_it(unfinished):
    with pytest.raises(UnfinishedStoreError, match="2 of 3 shards.*Finish it with .featbank embed"):
        Store(unfinished)


def test_a_missing_store_is_named(tmp_path):
    with pytest.raises(MissingPathError, match="there is no store here"):
        Store(tmp_path / "no.zarr")


def test_pictures_need_the_images(store):
    with pytest.raises(StoreError, match="where its images are"):
        store.show([store.ids[0]])


ARRAYS = ("valid", "refused", "sample_id", "class_cover", "label_cover", "split_random-0",
          "missing", "group", "lonlat", "mean", "cls", "tokens")  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_a_chunk_file_that_is_lost_is_named_and_never_read_as_fill_values(finished, name, tmp_path):
    """What an interrupted copy leaves."""
    copy = Path(shutil.copytree(finished, tmp_path / "copy.zarr"))
    lost = next(path for path in sorted((copy / name / "c").rglob("*")) if path.is_file())
    lost.unlink()
    with pytest.raises(StoreError, match=f"{name}/c/.*: is missing"):
        stored_values(copy, name)
