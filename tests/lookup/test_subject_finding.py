"""Which store and which results a command means."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from drawn_subject import make_subject

from featbank.bank.bank import Bank
from featbank.bank.results import write_results
from featbank.errors import FeatbankWarning, MissingPathError, UnknownNameError, UsageError
from featbank.lookup.subject_finding import find_subject
from featbank.store.absent import AbsentStore


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    subject = make_subject(tmp_path_factory.mktemp("bank"))
    for age, rows in enumerate(subject.results):
        os.utime(subject.bank.result_path(rows[0].result), (10**9 - age, 10**9 - age))
    subject.bank.remember_newest(subject.store.path)
    return subject


def ids(subject):
    return [head.result[:1] for head in subject.headlines]


def test_the_newest_store_brings_its_results_the_newest_first(made):
    found = find_subject(made.bank)
    assert found.store.path == made.store.path
    assert ids(found) == ["1", "2", "f", "c"]


def test_named_results_keep_their_order_and_bring_their_store(made):
    found = find_subject(made.bank, results=("c", "1"))
    assert ids(found) == ["c", "1"]
    assert (found.store.path, found.label_set) == (made.store.path, "cover")


def test_a_headline_comes_first(made):
    assert all(rows[0].selected for rows in find_subject(made.bank).results)


def test_a_model_and_a_dataset_name_a_store(made):
    found = find_subject(made.bank, model="tiny", dataset="made")
    assert found.store.path == made.store.path


def test_a_dataset_alone_brings_all_of_its_results(made):
    assert len(find_subject(made.bank, dataset="made").results) == 4


def test_baselines_of_a_dataset_come_last(made, tmp_path):
    shutil.copytree(made.bank.root, tmp_path / "bank")
    bank = Bank(tmp_path / "bank")
    rows = [replace(row, model="imagestats", result="b" * 16) for row in made.results[0]]
    write_results(bank, rows)
    assert find_subject(bank, dataset="made").headlines[-1].model == "imagestats"


def test_results_of_other_labels_are_left_out(made, tmp_path):
    with pytest.raises(UnknownNameError, match="has no such label set; expected one of cover"):
        find_subject(made.bank, labels="covre")
    assert len(find_subject(made.bank, labels="cover").results) == 4


def test_a_named_result_of_another_split_is_told(made):
    with pytest.raises(UsageError, match="is of labels cover, split official"):
        find_subject(made.bank, results=("1",), split_scheme="random-0")


@pytest.mark.parametrize(
    ("results", "error", "said"),
    [
        (("zz",), UnknownNameError, "no result in .* has this id"),
        (("1", "103"), UsageError, "it is named twice"),
    ],
)
def test_wrong_ids_are_told(made, results, error, said):
    with pytest.raises(error, match=said):
        find_subject(made.bank, results=results)


def test_an_empty_bank_is_told(tmp_path):
    with pytest.raises(MissingPathError, match="holds no newest store"):
        find_subject(Bank(tmp_path))


@pytest.fixture
def gone(made, tmp_path):
    bank = shutil.copytree(made.bank.root, tmp_path / "bank")
    store = Path(bank) / "stores" / "made" / made.store.path.name
    shutil.rmtree(store)
    for path in (Path(bank) / "results").glob("*"):
        _point(path, store)
    return Bank(Path(bank))


def _point(path, store):
    import pandas as pd

    frame = pd.read_parquet(path)
    frame["store"] = str(store)
    frame.to_parquet(path, index=False)


@pytest.mark.parametrize("asked", [{"results": ("1",)}, {"dataset": "made"}, {"model": "tiny"}])
def test_results_outlive_their_store(gone, asked):
    found = find_subject(gone, **asked)
    assert isinstance(found.store, AbsentStore)
    assert not found.has_store
    assert found.predictions(found.headlines[0].result) is not None or len(found.results) == 4


def test_a_gone_store_says_so_when_it_is_read(gone):
    store = find_subject(gone, results=("1",)).store
    for read in (lambda: store.ids, lambda: store.attributes, lambda: store.features()):
        with pytest.raises(MissingPathError, match="the store is gone"):
            read()


def test_a_bank_that_moved_finds_its_store(made, tmp_path):
    bank = shutil.copytree(made.bank.root, tmp_path / "moved")
    shutil.rmtree(tmp_path / "none", ignore_errors=True)
    for path in (Path(bank) / "results").glob("*"):
        _point(path, tmp_path / "none" / "stores" / "made" / made.store.path.name)
    found = find_subject(Bank(Path(bank)), results=("1",))
    assert found.store.path.is_relative_to(bank)


def test_damaged_predictions_are_left_out_with_one_line(made, tmp_path):
    shutil.copytree(made.bank.root, tmp_path / "bank")
    found = find_subject(Bank(tmp_path / "bank"))
    result = found.headlines[0].result
    found.bank.predictions_path(result).write_bytes(b"PAR1 cut")
    with pytest.warns(FeatbankWarning, match=f"left out: .*{result}.parquet") as told:
        assert [found.predictions(result) for _ in range(2)] == [None, None]
    assert len(told) == 1
