"""A store's identity follows the content of its images: neither their names nor their place."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from fake_trees import same_trees
from fixed_size_chips import pixels_of, write_chip, write_folder

from featbank.bank import runlog
from featbank.bank.bank import Bank
from featbank.errors import ReadError, StoreError, UnfinishedStoreError
from featbank.lookup.stores import find_store
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.store.arrays import create_array
from featbank.store.create import labels_sha256
from featbank.store.reader import Store
from featbank.store.writer import StoreWriter

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


def test_a_filling_of_missing_pixels_that_moved_is_said_in_one_line(tmp_path):
    folder = write_folder(tmp_path / "chips")
    for path in folder.rglob("*.tif"):
        pixels = tifffile.imread(path)
        pixels[0] = 0
        tifffile.imwrite(path, pixels, photometric="rgb", extratags=[(42113, 2, 0, "0", True)])
    embed(folder, tmp_path / "bank")
    for number in range(8):
        write_chip(folder / "class1" / f"{number:02d}.tif", 900 + number)
    told = []
    embed(folder, tmp_path / "bank", told)
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


def test_a_cut_run_goes_on_under_new_names(tmp_path, monkeypatch):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    whole = rows_by_id(Store(embed(folder, tmp_path / "whole").store))
    write = StoreWriter.write

    def write_until(self, shard, buffers):
        if shard == 2:
            raise OSError(28, "No space left on device")
        write(self, shard, buffers)

    with monkeypatch.context() as patched:
        patched.setattr(StoreWriter, "write", write_until)
        with pytest.raises(StoreError, match="No space left"):
            embed(folder, bank)
    (folder / "class1" / "07.tif").rename(folder / "class0" / "aa.tif")
    report = embed(folder, bank)
    assert report.embedded in (4, 8)
    named = {("class0/aa" if k == "class1/07" else k): v for k, v in whole.items()}
    assert rows_by_id(Store(report.store)) == named


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_kill_while_names_are_written_is_mended_and_never_read(tmp_path, monkeypatch, after):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    store = embed(folder, bank).store
    (folder / "class0" / "00.tif").rename(folder / "class1" / "zz.tif")
    calls = []

    def cut(group, spec):
        calls.append(spec.name)
        if len(calls) > after:
            raise KeyboardInterrupt
        create_array(group, spec)

    with monkeypatch.context() as patched:
        patched.setattr("featbank.store.relabel.create_array", cut)
        with pytest.raises(KeyboardInterrupt):
            embed(folder, bank)
    with pytest.raises(UnfinishedStoreError):
        Store(store)
    told = []
    assert embed(folder, bank, told).embedded == 0
    assert "class1/zz" in Store(store).ids
    assert rows_by_id(Store(store)) == rows_by_id(Store(embed(folder, tmp_path / "new").store))
    assert set(Store(store).attributes) == set(
        Store(embed(folder, tmp_path / "b").store).attributes
    )


def test_a_store_that_was_labelled_anew_opens_in_xarray_and_says_its_labels_version(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    embed(folder, bank)
    (folder / "class0").rename(folder / "wood")
    store = Store(embed(folder, bank).store)
    assert store.classes() == ("class1", "wood")
    xarray = store.to_xarray()
    assert xarray["sample_id"].values.tolist() == store.ids.tolist()
    assert store.attributes["labels_sha256"] == labels_sha256(
        plan_in_rows(folder, bank).imagery.dataset.samples
    )


def plan_in_rows(folder, bank):
    from featbank.stages.embed.relabelling import in_rows_of_store

    return in_rows_of_store(plan(folder, bank))


def test_images_that_come_without_labels_keep_those_of_their_content(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    first = embed(folder, bank).store
    labels = dict(zip(Store(first).ids, Store(first).labels(), strict=True))
    made = plan(folder, bank)
    dataset = made.imagery.dataset
    bare = replace(dataset, samples=replace(dataset.samples, labels={}))
    made = replace(made, imagery=replace(made.imagery, dataset=bare))
    embed_dataset(made)
    store = Store(first)
    assert dict(zip(store.ids, store.labels(), strict=True)) == labels
    assert "random-0" in store.split_schemes


def test_a_split_that_changed_is_written_anew(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    first = Store(embed(folder, bank).store)
    for split in ("train", "test"):
        for label, numbers in (("class0", range(8)), ("class1", range(8))):
            for number in numbers:
                if (number % 2 == 0) == (split == "train"):
                    path = tmp_path / "sorted" / split / label / f"{number:02d}.tif"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(folder / label / f"{number:02d}.tif", path)
    report = embed(tmp_path / "sorted", bank)
    store = Store(report.store)
    assert (store.path, report.embedded) == (first.path, 0)
    assert store.split_schemes == ("official",)
    expected = ["train" if name.startswith("train/") else "test" for name in store.ids]
    assert store.split().tolist() == expected
    np.testing.assert_array_equal(store.features(), first.features())


def test_nothing_is_said_and_nothing_written_where_nothing_changed(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    store = embed(folder, bank).store
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
    told = []
    embed(folder, bank, told)
    assert told == []
    assert {p: p.stat().st_mtime_ns for p in store.rglob("*") if p.is_file()} == before


def test_a_rehearsal_writes_nothing_and_names_the_store_that_stands(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    made = plan_embed(EmbedOptions(dataset=str(folder), bank=bank, **FIXED), is_rehearsal=True)
    assert not bank.exists()
    assert embed(folder, bank).store == made.path


def test_a_refused_row_of_another_name_is_embedded_again(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    (folder / "class0" / "02.tif").write_bytes(b"torn")
    embed(folder, bank, max_invalid=0.5)
    (folder / "class0" / "02.tif").rename(folder / "class0" / "02b.tif")
    write_chip(folder / "class1" / "07.tif", 900)
    report = embed(folder, bank, max_invalid=0.5)
    assert report.copied == 8
    assert same_trees(report.store, embed(folder, tmp_path / "other", max_invalid=0.5).store)


def test_stores_of_another_recipe_are_not_copied_from(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    embed(folder, bank, store_dtype="float16")
    embed(folder, bank, shard_rows=8)
    assert embed(folder, bank).copied == 0


def test_a_grown_folder_copies_the_shards_before_the_new_files(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    embed(folder, bank)
    write_chip(folder / "class1" / "08.tif", 900)
    report = embed(folder, bank)
    assert (report.copied, report.embedded) == (16, 1)
    assert same_trees(report.store, embed(folder, tmp_path / "other").store)


def test_copied_shards_say_in_the_run_log_where_they_are_from(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    old = embed(folder, bank).store
    write_chip(folder / "class1" / "03.tif", 900)
    lines = runlog.read(embed(folder, bank).store)
    copied = [line for line in lines if "copied_from" in line]
    assert {line["copied_from"] for line in copied} == {old.name}
    assert {line["torch"] for line in lines} == {runlog.read(old)[0]["torch"]}


def test_a_copy_of_the_images_finds_their_store_from_both_places(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    store = embed(folder, bank).store
    shutil.copytree(folder, tmp_path / "again" / "chips")
    assert embed(tmp_path / "again" / "chips", bank).store == store
    places = (folder, tmp_path / "again" / "chips")
    assert [find_store(Bank(bank), dataset=str(place)) for place in places] == [store, store]


def test_an_image_that_changes_while_it_is_embedded_stops_the_run_by_name(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    made = plan(folder, bank)
    write_chip(folder / "class1" / "03.tif", 900)
    with pytest.raises(
        ReadError, match=r"class1/03: changed while it was embedded \(1 of 16 images"
    ):
        embed_dataset(made)
    with pytest.raises(UnfinishedStoreError):
        Store(made.path)
    report = embed(folder, bank)
    assert report.copied == 12
    assert same_trees(report.store, embed(folder, tmp_path / "other").store)


def test_an_image_that_was_only_touched_meanwhile_is_no_other(tmp_path):
    folder, bank = write_folder(tmp_path / "chips"), tmp_path / "bank"
    made = plan(folder, bank)
    write_chip(folder / "class1" / "03.tif", 11)
    os.utime(folder / "class0" / "03.tif")
    assert embed_dataset(made).embedded == 16


def georeferenced(path, row, column):
    """One chip of 160 m at a place of its own, in a UTM zone."""
    scale = (33550, 12, 3, (10.0, 10.0, 0.0), True)
    tie = (33922, 12, 6, (0.0, 0.0, 0.0, 5e5 + 8e3 * column, 5e6 - 8e3 * row, 0.0), True)
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32632)
    path.parent.mkdir(parents=True, exist_ok=True)
    tags = [scale, tie, (34735, 3, len(keys), keys, True)]
    tifffile.imwrite(path, pixels_of(10 * row + column), photometric="rgb", extratags=tags)


def test_images_with_places_that_lose_their_class_folders_keep_labels_and_splits(tmp_path):
    for row in range(4):
        for column in range(10):
            name = "north" if row < 2 else "south"
            georeferenced(tmp_path / "plots" / name / f"{row}{column}.tif", row, column)
            georeferenced(tmp_path / "flat" / f"{row}{column}.tif", row, column)
    bank, told = tmp_path / "bank", []
    first = Store(embed(tmp_path / "plots", bank).store)
    labels = dict(zip(first.attributes["label_sets"], [first.labels()], strict=True))
    scheme = first.split()
    again = Store(embed(tmp_path / "flat", bank, told).store)
    assert again.path == first.path
    assert np.array_equal(again.labels(), labels["class"])
    assert again.split().tolist() == scheme.tolist()
    assert [line for line in told if "the labels and splits of its images stay" in line]
    assert not any("no labels" in note for note in again.attributes["notes"])


def test_a_copy_that_is_sorted_otherwise_never_speaks_for_the_folder(tmp_path):
    folder, bank = write_folder(tmp_path / "a"), tmp_path / "bank"
    copy = tmp_path / "r"
    for number, path in enumerate(sorted(folder.rglob("*.tif"))):
        place = copy / f"class{number % 2}" / f"{number:02d}.tif"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    embed(folder, bank)
    store = embed(copy, bank).store
    assert find_store(Bank(bank), dataset=str(copy)) == store
    with pytest.raises(StoreError, match="holds ids, labels and splits of .*/r, whose images"):
        find_store(Bank(bank), dataset=str(folder))
    embed(folder, bank)
    assert find_store(Bank(bank), dataset=str(folder)) == store


def test_a_copy_of_the_same_labels_speaks_for_both(tmp_path):
    folder, bank = write_folder(tmp_path / "a"), tmp_path / "bank"
    shutil.copytree(folder, tmp_path / "b" / "a")
    first, second = (embed(place, bank).store for place in (folder, tmp_path / "b" / "a"))
    assert first == second == find_store(Bank(bank), dataset=str(folder))
