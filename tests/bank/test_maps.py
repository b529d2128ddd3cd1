"""Maps as files of a bank."""

import os

import numpy as np
import pytest

from featbank.bank.bank import Bank
from featbank.bank.maps import (
    FeatureMap,
    map_path,
    maps_of,
    read_map,
    read_note,
    write_map,
    write_note,
)
from featbank.errors import StoreError


def make_map(identifier="a" * 16, store="s", n=3):
    return FeatureMap(
        id=identifier,
        ids=np.array([f"chip-{i}-é" for i in range(n)], dtype=object),
        xy=np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32),
        is_fitted=np.arange(n) % 2 == 0,
        recipe={"store": store, "params": {"neighbors": 15}, "feature": "cls"},
        quality={"trustworthiness": 0.9, "overlap": None},
        environment={"umap-learn": "0.5.12"},
    )


@pytest.fixture
def bank(tmp_path):
    return Bank(tmp_path / "bank")


def test_a_map_reads_as_it_was_written(bank):
    made = make_map()
    found = read_map(write_map(bank, made))
    assert found.xy.tobytes() == made.xy.tobytes()
    assert found.ids.tolist() == made.ids.tolist()
    assert found.is_fitted.tolist() == [True, False, True]
    told = ("id", "recipe", "quality", "environment")
    assert [getattr(found, n) for n in told] == [getattr(made, n) for n in told]


def test_maps_of_a_store_stand_newest_first(bank):
    for turn, (name, store) in enumerate([("a", "s"), ("b", "s"), ("c", "other")]):
        path = write_map(bank, make_map(name, store))
        os.utime(path, (turn, turn))
    assert [found.id for found in maps_of(bank, "s")] == ["b", "a"]


def test_a_bank_without_maps_has_none(bank):
    assert maps_of(bank, "s") == []


def test_another_file_is_refused(bank):
    path = map_path(bank, "x")
    path.parent.mkdir(parents=True)
    path.write_text("no map")
    with pytest.raises(StoreError, match="does not read as a map"):
        read_map(path)


def test_a_map_is_a_table():
    frame = make_map().to_pandas()
    assert list(frame) == ["sample_id", "x", "y", "is_fitted"]
    assert frame["x"].tolist() == make_map().xy[:, 0].tolist()


def test_notes_of_a_map_are_kept_beside_it(bank):
    write_map(bank, make_map())
    write_note(bank, "a" * 16, "purity-x", {"k": 15})
    assert read_note(bank, "a" * 16, "purity-x") == {"k": 15}
    assert read_note(bank, "a" * 16, "purity-y") is None
    assert len(maps_of(bank, "s")) == 1
