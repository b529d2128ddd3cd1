from typing import TYPE_CHECKING

import pytest

from featbank.errors import DatasetError, MissingPathError, UnknownNameError, UsageError
from featbank.sources import fetching
from featbank.sources.fetching import fetch_dataset
from featbank.sources.opening import open_dataset

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fetched(monkeypatch):
    """Records what would be downloaded, and downloads nothing."""
    calls: list[tuple[str, Path]] = []
    monkeypatch.setattr(fetching, "fetch_dataset", lambda *args: calls.append(args))
    return calls


def test_a_missing_dataset_names_what_where_and_how(tmp_path):
    with pytest.raises(MissingPathError) as caught:
        open_dataset("bigearthnet-s1", data_root=tmp_path / "ben")
    line = str(caught.value)
    for part in ("BigEarthNet-S1", str(tmp_path / "ben"), "datasets --download bigearthnet-s1"):
        assert part in line


def test_a_dataset_without_a_folder_asks_for_one(monkeypatch):
    monkeypatch.delenv("FEATBANK_DATA", raising=False)
    with pytest.raises(MissingPathError, match="--data-root or the variable FEATBANK_DATA"):
        open_dataset("eurosat-ms")


def test_nothing_is_fetched_where_the_imagery_opens(shared, fetched):
    root = shared / "data" / "bigearthnet_v1"
    assert len(open_dataset("bigearthnet-s1", data_root=root, download=True).samples) == 9
    assert not fetched


def test_what_does_not_open_is_fetched_first(tmp_path, fetched):
    with pytest.raises(DatasetError):
        open_dataset("bigearthnet-s1", data_root=tmp_path, download=True)
    assert fetched == [("bigearthnet-s1", tmp_path, None)]


def test_a_broken_copy_of_another_edition_is_not_mixed_with_this_one(tmp_path, fetched):
    (tmp_path / "BigEarthNet-S1-v1.0" / "not-a-patch").mkdir(parents=True)
    with pytest.raises(DatasetError):
        open_dataset("bigearthnet-s1", data_root=tmp_path, download=True)
    assert not fetched


def test_nothing_is_fetched_unasked(tmp_path, fetched):
    with pytest.raises(DatasetError):
        open_dataset("bigearthnet-s1", data_root=tmp_path)
    assert not fetched


def test_an_unknown_edition_is_named(tmp_path):
    with pytest.raises(
        UnknownNameError, match="bigearthnet-s1 has no such edition to fetch; expected one of v1"
    ):
        fetch_dataset("bigearthnet-s1", tmp_path, edition="v3")


def test_split_lists_are_refused_where_none_are_taken(tmp_path):
    with pytest.raises(UsageError, match="takes no split lists"):
        open_dataset("synthetic-s2", chips=16, splits=tmp_path)
