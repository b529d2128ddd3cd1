"""Files of a bank that are damaged are named with the way out, and hide nothing else."""

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from made_checkpoint import write_tiny
from made_results import ROW, make_result
from pyarrow import parquet
from whole_bank import STATE, make_whole_bank

import featbank
from featbank.bank import saved_probes
from featbank.bank.bank import Bank
from featbank.bank.bank_html import bank_html
from featbank.bank.checkpoints import read_checkpoint
from featbank.bank.fitted_states import read_state
from featbank.bank.maps import maps_of, read_map
from featbank.bank.results import read_predictions, read_result, read_results, write_results
from featbank.bank.saved_probes import read_probe
from featbank.cli.main import run
from featbank.errors import FeatbankError, FeatbankWarning, StoreError, WeightsError
from featbank.lookup.listing import store_rows
from featbank.lookup.subject_finding import results_of
from featbank.store.reader import Store

TEXTS = ["", "{", "null", "[]", "7", '"x"', "\x00\x01", "[" * 100_000, '{"store": null}']


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_whole_bank(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def bank(made, tmp_path):
    return Bank(Path(shutil.copytree(made, tmp_path / "bank")))


@pytest.mark.parametrize("text", [*TEXTS, "{}", '{"store": 5}', '{"store": ""}'])
def test_a_newest_that_is_damaged_is_named_where_it_is_needed_and_nowhere_else(bank, text, capsys):
    (bank.root / "newest.json").write_text(text)
    with pytest.raises(StoreError, match=r"newest.json: .*--store"):
        bank.newest()
    assert run(["probe", "--clf", "knn", "--bank", str(bank.root)]) == 1
    said = capsys.readouterr().err
    assert "newest.json: " in said
    assert said.count("\n") == 1
    assert run(["stores", "--bank", str(bank.root)]) == 0
    assert len(bank_html(bank)) > 0
    bank.remember_newest(bank.stores()[0])
    assert bank.newest() == bank.stores()[0]


@pytest.mark.parametrize("text", [t for t in TEXTS if "store" not in t])
def test_sources_that_are_damaged_are_named_and_stores_open_without_them(bank, text):
    (bank.root / "sources.json").write_text(text)
    store = featbank.open_store(bank.newest())
    with pytest.raises(StoreError, match=r"sources.json: .*Remove it and repeat"):
        bank.source(store.path)
    assert len(store.features()) == len(store)


def rewritten(path, change):
    table = parquet.read_table(path)
    parquet.write_table(change(table), path)


def with_column(name, values):
    def change(table):
        column = pa.array(values(len(table)))
        return table.set_column(table.column_names.index(name), name, column)

    return change


RESULT_FAULTS = {
    "empty": lambda p: p.write_bytes(b""),
    "cut": lambda p: p.write_bytes(p.read_bytes()[:-40]),
    "text": lambda p: p.write_text("null"),
    "page": lambda p: p.write_bytes(p.read_bytes()[:60] + b"\xff" * 40 + p.read_bytes()[100:]),
    "no rows": lambda p: rewritten(p, lambda t: t.slice(0, 0)),
    "no value": lambda p: rewritten(p, lambda t: t.drop_columns(["value"])),
    "no model": lambda p: rewritten(p, lambda t: t.drop_columns(["model"])),
    "null store": lambda p: rewritten(p, with_column("store", lambda n: pa.nulls(n))),
    "text as value": lambda p: rewritten(p, with_column("value", lambda n: ["x"] * n)),
    "number as class": lambda p: rewritten(p, with_column("class", range)),
    "list as params": lambda p: rewritten(p, with_column("params", lambda n: ["[]"] * n)),
    "cut params": lambda p: rewritten(p, with_column("params", lambda n: ['{"k"'] * n)),
}


@pytest.mark.parametrize("fault", RESULT_FAULTS)
def test_a_result_that_is_damaged_is_named_and_hides_no_other(bank, fault):
    first, *others = sorted((bank.root / "results").glob("*.parquet"))
    RESULT_FAULTS[fault](first)
    with pytest.raises(StoreError, match=f"{first.name}: .*Remove it, and probe again"):
        read_result(first)
    with pytest.warns(FeatbankWarning, match=f"left out: .*{first.name}"):
        found = results_of(bank)
    assert {rows[0].result for rows in found} == {path.stem for path in others}


@pytest.mark.parametrize("fault", ["empty", "cut", "text", "page", "no value", "text as value"])
def test_the_table_of_results_goes_on_without_a_damaged_one(bank, fault, capsys):
    first, *others = sorted((bank.root / "results").glob("*.parquet"))
    RESULT_FAULTS[fault](first)
    with pytest.warns(FeatbankWarning, match=f"left out: .*{first.name}"):
        assert set(featbank.read_results(bank.root)["result"]) == {path.stem for path in others}
    args = ["figure", "headlines", "--dataset", "chips", "--bank", str(bank.root)]
    assert run(args) == 0
    assert f"{first.name}: " in capsys.readouterr().err


def test_results_read_back_as_they_were_written(tmp_path):
    rows = [make_result(), make_result(value=float("nan"), shots=5, by="x", by_value="y")]
    path = write_results(Bank(tmp_path), rows)
    assert next(row.as_row() for row in read_result(path)) == rows[0].as_row()
    assert read_result(path)[1].shots == 5
    assert len(read_results(Bank(tmp_path))) == 2


@pytest.mark.parametrize("column", ["truth", "scores", "sample_id", "split"])
@pytest.mark.parametrize("kind", ["gone", "null", "text", "numbers", "lists"])
def test_predictions_that_are_damaged_are_named(bank, column, kind):
    path = sorted((bank.root / "predictions").glob("*.parquet"))[0]
    values = {"null": lambda n: pa.nulls(n), "text": lambda n: ["x"] * n,
              "numbers": lambda n: [k + 99 for k in range(n)],
              "lists": lambda n: [["x"]] * n}  # fmt: skip
    if kind == "gone":
        rewritten(path, lambda t: t.drop_columns([column]))
    else:
        rewritten(path, with_column(column, values[kind]))
    if (column, kind) in {("sample_id", "text"), ("split", "text")}:
        pytest.skip("text is what belongs there")
    with pytest.raises(StoreError, match=f"{path.name}: "):
        read_predictions(path)


def test_a_map_that_is_damaged_hides_no_other(bank):
    (path,) = (bank.root / "maps").glob("*.parquet")
    shutil.copy(path, path.with_name("other.parquet"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match=f"{path.name}: does not read as a map"):
        read_map(path)
    recipe = featbank.open_store(bank.newest()).attributes["recipe_id"]
    with pytest.warns(FeatbankWarning, match=path.name):
        assert len(maps_of(bank, recipe)) == 1


def test_a_store_that_is_damaged_hides_no_other(bank, capsys):
    store = bank.newest()
    twin = Path(shutil.copytree(store, store.with_name("twin-00000000.zarr")))
    (twin / "zarr.json").write_text("{")
    with pytest.warns(FeatbankWarning, match="twin-00000000.zarr/zarr.json: is cut"):
        assert [row["store"] for row in store_rows(bank.root)] == [str(store)]
    assert run(["stores", "--bank", str(bank.root)]) == 0
    said = capsys.readouterr()
    assert "1 stores" in said.out
    assert "left out: " in said.err


@pytest.mark.parametrize("text", TEXTS)
def test_a_store_without_true_metadata_is_named(bank, text, capsys):
    store = bank.newest()
    (store / "zarr.json").write_text(text)
    with pytest.raises(StoreError, match=r"zarr.json: |its schema version"):
        Store(store)
    assert run(["show", str(store)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["recipe", "dataset", "model", "label_sets", "command", "notes"])
@pytest.mark.parametrize("value", [None, 7, [None], {"a": 1}], ids=str)
def test_a_store_with_an_attribute_of_another_kind_is_named(bank, name, value, capsys):
    document = bank.newest() / "zarr.json"
    content = json.loads(document.read_text())
    content["attributes"][name] = value
    if value is None:
        del content["attributes"][name]
    document.write_text(json.dumps(content))
    code = run(["show", str(bank.newest())])
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (1, 1)
    assert "zarr.json: " in said


@pytest.mark.parametrize("extent", [10**12, 59, 0, -1, None, "60"], ids=str)
def test_an_array_of_another_extent_is_named_before_it_is_read(bank, extent):
    document = bank.newest() / "sample_id" / "zarr.json"
    content = json.loads(document.read_text())
    content["shape"] = [extent]
    document.write_text(json.dumps(content))
    with pytest.raises(StoreError, match="sample_id/zarr.json: tells another extent"):
        _ = Store(bank.newest()).ids


def test_a_shard_that_is_damaged_is_named(bank):
    name = Store(bank.newest()).feature_names[0]
    chunks = [p for p in (bank.newest() / name).rglob("*") if p.is_file() and p.name != "zarr.json"]
    chunks[0].write_bytes(b"\x01" * 50)
    with pytest.raises(StoreError, match=f"{name}: does not read"):
        Store(bank.newest()).features()


NULLS = ["config", "bands", "statistics", "recipe", "saw", "steps", "image_px", "is_finished",
         "origin", "name", "default_feature", "environment", "files", "format",
         "licence"]  # fmt: skip
ODD = [None, 5, "x", [], {}, [None], {"dim": None}]


@pytest.mark.parametrize("value", ODD, ids=str)
@pytest.mark.parametrize("field", NULLS)
def test_a_checkpoint_with_a_field_of_another_kind_is_named(tmp_path, field, value, capsys):
    path = write_tiny(tmp_path / "checkpoints" / "d")
    record = json.loads((path / "checkpoint.json").read_text())
    fits = type(record[field]) is type(value) and (value or field in ("recipe", "environment"))
    record[field] = value
    (path / "checkpoint.json").write_text(json.dumps(record))
    if fits or (field, value) in (("saw", []), ("environment", {"dim": None}), ("files", {})):
        return
    with pytest.raises(WeightsError, match=r"checkpoint.json: is no record"):
        read_checkpoint(path)
    assert run(["checkpoints", "--bank", str(tmp_path)]) == 0
    assert "checkpoint.json: is no record" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}"])
def test_a_saved_probe_that_is_damaged_is_named(bank, text):
    (folder,) = (bank.root / "probes").iterdir()
    (folder / "probe.json").write_text(text)
    with pytest.raises(FeatbankError, match=r"probe.json: is no saved probe"):
        read_probe(folder)


def test_a_fitted_state_that_is_damaged_is_named(bank):
    path = bank.root / "states" / f"{STATE}.safetensors"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(StoreError, match=f"{path.name}: is damaged"):
        read_state(bank, STATE)


def test_a_disk_that_fails_while_a_probe_is_renamed_keeps_the_former(bank, monkeypatch):
    (folder,) = (bank.root / "probes").iterdir()
    record, arrays = read_probe(folder)
    rename = os.rename

    def fails(source, target):
        if str(source).endswith(".new"):
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(saved_probes.os, "rename", fails)
    with pytest.raises(OSError, match="Input/output"):
        saved_probes.write_probe(bank, folder.name, {"newer": 1}, {})
    monkeypatch.undo()
    assert read_probe(folder)[0] == record
    assert sorted(read_probe(folder)[1]) == sorted(arrays)
    assert os.listdir(folder.parent) == [folder.name]


def test_a_file_of_before_without_newer_columns_still_reads(tmp_path):
    (tmp_path / "results").mkdir()
    row = {("class" if k == "class_name" else k): v for k, v in ROW.items()}
    path = tmp_path / "results" / f"{row['result']}.parquet"
    pd.DataFrame([row]).to_parquet(path, index=False)
    assert read_result(path)[0].value == 0.8


def test_rows_of_another_result_than_the_file_is_named_after_are_refused(tmp_path):
    path = tmp_path / "other.parquet"
    pd.DataFrame([{("class" if k == "class_name" else k): v for k, v in ROW.items()}]).to_parquet(
        path
    )
    with pytest.raises(StoreError, match=r"other\.parquet: holds rows of a result that is not"):
        read_result(path)


@pytest.mark.parametrize("classes", ["7", '"ab"', "[]", "[1]", "null"])
def test_predictions_whose_classes_are_no_list_of_names_are_refused(tmp_path, classes):
    columns = {"sample_id": ["a"], "split": ["test"], "truth": [0], "scores": [[1.0]]}
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table(columns).replace_schema_metadata({"classes": classes}), path)
    with pytest.raises(StoreError, match=r"a\.parquet: holds classes that no predictions have"):
        read_predictions(path)
