"""A store's identity follows the content of its images: neither their names nor their place."""

import os
import shutil

import numpy as np
import pytest
from fake_trees import same_trees
from fixed_size_chips import pixels_of, write_chip, write_folder

from featbank.bank.bank import Bank
from featbank.stages.embed import embed_dataset
from featbank.stages.embed_options import EmbedOptions
from featbank.stages.embed_plan import plan_embed
from featbank.stages.finding import find_store
from featbank.store.reader import Store

FIXED = {"model": "imagestats", "normalise": "none", "shard_rows": 4, "batch_size": 3, "workers": 0}


def plan(folder, bank, **more):
    return plan_embed(EmbedOptions(dataset=str(folder), bank=bank, **{**FIXED, **more}))


def embed(folder, bank, told=None, **more):
    tell = (lambda _: None) if told is None else told.append
    return embed_dataset(plan(folder, bank, **more), tell=tell)


def rows_by_id(store):
    return dict(zip(store.ids.tolist(), store.features().tolist(), strict=True))


def expected_mean(seed):
    return pixels_of(seed).reshape(-1, 3).astype(float).mean(0)


def test_equal_names_and_sizes_of_other_content_are_two_stores(tmp_path):
    old = write_folder(tmp_path / "2019" / "chips")
    new = write_folder(tmp_path / "2020" / "chips", first_seed=500)
    stores = [embed(folder, tmp_path / "bank").store for folder in (old, new)]
    assert stores[0] != stores[1]
    row = list(Store(stores[1]).ids).index("class0/00")
    mean = Store(stores[1]).features()[row][:3]
    np.testing.assert_allclose(mean, expected_mean(500), rtol=1e-5)


def test_a_file_edited_in_place_is_noticed_though_size_and_time_are_kept(tmp_path):
    folder = write_folder(tmp_path / "chips")
    first = embed(folder, tmp_path / "bank").store
    path = folder / "class1" / "03.tif"
    before = path.stat()
    write_chip(path, 900)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    store = Store(embed(folder, tmp_path / "bank").store)
    assert store.path != first
    mean = rows_by_id(store)["class1/03"][:3]
    np.testing.assert_allclose(mean, expected_mean(900), rtol=1e-5)


def test_a_renamed_folder_embeds_nothing_again(tmp_path):
    folder = write_folder(tmp_path / "chips")
    first = embed(folder, tmp_path / "bank")
    folder.rename(tmp_path / "pictures")
    again = embed(tmp_path / "pictures", tmp_path / "bank")
    assert (again.store, again.embedded) == (first.store, 0)


def test_a_renamed_folder_embeds_nothing_again_under_fitted_statistics(tmp_path):
    folder = write_folder(tmp_path / "chips")
    first = embed(folder, tmp_path / "bank", normalise="dataset")
    folder.rename(tmp_path / "pictures")
    again = embed(tmp_path / "pictures", tmp_path / "bank", normalise="dataset")
    assert (again.store, again.embedded) == (first.store, 0)


def test_a_renamed_folder_is_found_by_both_names(tmp_path):
    folder = write_folder(tmp_path / "chips")
    first = embed(folder, tmp_path / "bank").store
    folder.rename(tmp_path / "pictures")
    embed(tmp_path / "pictures", tmp_path / "bank")
    bank = Bank(tmp_path / "bank")
    assert [find_store(bank, dataset=name) for name in ("chips", "pictures")] == [first, first]
    assert Store(first).attributes["dataset"] == "pictures"


def test_no_name_stands_in_the_recipe(tmp_path):
    recipe = plan(write_folder(tmp_path / "chips"), tmp_path / "bank").recipe
    assert "name" not in recipe["dataset"]
    assert "chips" not in str(recipe["dataset"])


@pytest.mark.parametrize(
    "place", ["stores/archive/2024/kept.zarr", "stores/a.zarr", "stores/plain"]
)
def test_a_moved_store_is_found_wherever_it_stands(tmp_path, place):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    first = embed(folder, bank).store
    moved = bank / place
    moved.parent.mkdir(parents=True, exist_ok=True)
    first.rename(moved)
    again = embed(folder, bank)
    assert (again.store, again.embedded) == (moved, 0)
    assert find_store(Bank(bank), model="imagestats", dataset="chips") == moved


def test_a_moved_file_takes_its_row_with_it(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    before = Store(embed(folder, bank).store)
    kept = rows_by_id(before)
    (folder / "class0" / "00.tif").rename(folder / "class1" / "zz.tif")
    told = []
    report = embed(folder, bank, told)
    after = Store(report.store)
    assert (after.path, report.embedded) == (before.path, 0)
    expected = {("class1/zz" if k == "class0/00" else k): v for k, v in kept.items()}
    assert rows_by_id(after) == expected
    label = after.labels()[list(after.ids).index("class1/zz")]
    assert after.classes()[label] == "class1"
    assert after.attributes["labels_sha256"] != before.attributes["labels_sha256"]
    assert len(told) == 1
    assert "1 of 16 rows" in told[0]


def test_one_edited_file_embeds_its_shard_alone(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    embed(folder, bank)
    write_chip(folder / "class1" / "03.tif", 900)
    told = []
    report = embed(folder, bank, told)
    assert (report.embedded, report.shards, report.copied) == (4, 1, 12)
    assert any("3 of 4 shards are copied" in line for line in told)
    fresh = embed(folder, tmp_path / "other")
    assert same_trees(report.store, fresh.store)


def test_a_shard_that_belies_its_commit_is_not_copied(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    old = embed(folder, bank).store
    victim = old / "mean" / "c" / "0" / "0" / "0"
    data = bytearray(victim.read_bytes())
    data[5] ^= 255
    victim.write_bytes(data)
    write_chip(folder / "class1" / "03.tif", 900)
    report = embed(folder, bank)
    assert report.copied == 8
    assert same_trees(report.store, embed(folder, tmp_path / "other").store)


def test_fitted_statistics_that_moved_embed_everything_again_in_one_line(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    embed(folder, bank, normalise="dataset")
    for number in range(8):
        write_chip(folder / "class1" / f"{number:02d}.tif", 900 + number)
    told = []
    report = embed(folder, bank, told, normalise="dataset")
    assert (report.embedded, report.copied) == (16, 0)
    assert [line for line in told if "statistics" in line and "embedded again" in line]


def test_equal_content_keeps_separate_rows(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    shutil.copy(folder / "class0" / "00.tif", folder / "class1" / "copy.tif")
    store = Store(embed(folder, bank).store)
    rows = rows_by_id(store)
    assert len(store) == 17
    assert rows["class0/00"] == rows["class1/copy"]


def test_rows_of_equal_content_keep_the_ids_that_stay(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    for name in ("b", "c"):
        shutil.copy(folder / "class0" / "00.tif", folder / "class0" / f"{name}.tif")
    before = Store(embed(folder, bank).store).ids.tolist()
    (folder / "class0" / "00.tif").rename(folder / "class0" / "zz.tif")
    after = Store(embed(folder, bank).store).ids.tolist()
    assert after == ["class0/zz" if name == "class0/00" else name for name in before]
