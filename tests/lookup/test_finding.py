import json

import pytest
from fixed_size_chips import write_folder

from featbank.bank.bank import Bank, bank_of
from featbank.errors import MissingPathError, UsageError
from featbank.lookup.stores import find_store, stores_of
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset


@pytest.fixture(scope="module")
def years(tmp_path_factory):
    """Two folders of one name, their bank, and the store of each."""
    root = tmp_path_factory.mktemp("years")
    folders = [
        write_folder(root / year / "chips", chips=6, first_seed=seed)
        for year, seed in (("2019", 0), ("2020", 500))
    ]
    more = {"model": "imagestats", "normalise": "none", "bank": root / "bank", "workers": 0}
    stores = [
        embed_dataset(plan_embed(EmbedOptions(dataset=str(folder), **more))).store
        for folder in folders
    ]
    return folders, Bank(root / "bank"), stores


def test_the_path_of_a_folder_finds_its_own_store(years):
    folders, bank, stores = years
    assert [find_store(bank, dataset=str(folder)) for folder in folders] == stores


def test_a_name_that_two_folders_bear_is_an_error_that_lists_them(years):
    _, bank, stores = years
    with pytest.raises(UsageError, match="2 stores match") as caught:
        find_store(bank, dataset="chips")
    assert all(str(store) in str(caught.value) for store in stores)


def test_of_several_stores_the_one_embedded_last_is_named(years):
    _, bank, stores = years
    bank.remember_newest(stores[1])
    with pytest.raises(UsageError, match=f"embedded last was {stores[1]}"):
        find_store(bank, dataset="chips")


def test_another_folder_of_the_name_is_never_taken_for_one_of_them(years, tmp_path):
    _, bank, _ = years
    other = write_folder(tmp_path / "chips", chips=2)
    with pytest.raises(MissingPathError, match="those of this name are of .*2019"):
        find_store(bank, dataset=str(other))


def test_a_folder_that_moved_keeps_its_store(tmp_path):
    folder = write_folder(tmp_path / "a" / "chips", chips=2)
    options = EmbedOptions(model="imagestats", normalise="none", dataset=str(folder),
                           bank=tmp_path / "bank", workers=0)  # fmt: skip
    store = embed_dataset(plan_embed(options)).store
    folder.rename(tmp_path / "chips")
    assert find_store(Bank(tmp_path / "bank"), dataset=str(tmp_path / "chips")) == store


def test_a_bare_name_that_is_a_folder_here_means_that_folder(years, monkeypatch):
    folders, bank, stores = years
    monkeypatch.chdir(folders[1].parent)
    assert stores_of(bank, dataset="chips") == [stores[1]]


def test_the_source_of_a_store_that_moved_is_still_known(tmp_path):
    folder = write_folder(tmp_path / "chips", chips=2)
    options = EmbedOptions(model="imagestats", normalise="none", dataset=str(folder),
                           bank=tmp_path / "bank", workers=0)  # fmt: skip
    store = embed_dataset(plan_embed(options)).store
    moved = tmp_path / "bank" / "stores" / "old" / "x" / "kept.zarr"
    moved.parent.mkdir(parents=True)
    store.rename(moved)
    assert bank_of(moved).source(moved)["dataset"] == str(folder)


def test_links_are_followed_and_cycles_end(tmp_path):
    store = tmp_path / "elsewhere" / "s.zarr"
    store.mkdir(parents=True)
    told = {"recipe_id": "ab" * 32, "model": "hf:a/b", "dataset": "aid"}
    (store / "zarr.json").write_text(json.dumps({"attributes": told}))
    stores = tmp_path / "bank" / "stores"
    stores.mkdir(parents=True)
    (stores / "linked").symlink_to(tmp_path / "elsewhere")
    (stores / "loop").symlink_to(stores)
    bank = Bank(tmp_path / "bank")
    assert bank.stores(dataset="aid", model="hf:a/b") == [stores / "linked" / "s.zarr"]
    assert bank.store_of_recipe("ab" * 32) == stores / "linked" / "s.zarr"
    assert bank_of(stores / "linked" / "s.zarr").root == tmp_path / "bank"


@pytest.mark.parametrize("content", ["", "null", "[]", '{"attributes": 3}', '{"attributes": {}}'])
def test_a_store_that_says_nothing_is_called_as_its_path(tmp_path, content):
    store = tmp_path / "stores" / "aid" / "vit-tiny-0a1b2c3d.zarr"
    store.mkdir(parents=True)
    (store / "zarr.json").write_text(content)
    bank = Bank(tmp_path)
    assert bank.stores(dataset="aid", model="vit-tiny") == [store]
    assert bank.store_of_recipe("0a1b2c3d" * 8) is None


def test_stores_that_are_being_made_are_none(tmp_path):
    hidden = tmp_path / "stores" / "aid" / ".x.zarr.creating"
    hidden.mkdir(parents=True)
    (hidden / "zarr.json").write_text("{}")
    assert Bank(tmp_path).stores() == []
