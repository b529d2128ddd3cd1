import json
import os
import subprocess
import sys

import pytest

from featbank.bank import runlog
from featbank.bank.bank import Bank, bank_of, write_atomically
from featbank.bank.lock import locked
from featbank.bank.results import read_results
from featbank.errors import LockedError, MissingPathError

HOLD = """
import sys, time
from pathlib import Path
from featbank.bank.lock import locked
with locked(Path(sys.argv[1]), tell=print):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def store(tmp_path):
    path = Bank(tmp_path).store_path(dataset="aid", model="vit-tiny", recipe="0123456789")
    path.mkdir(parents=True)
    return path


def test_a_store_is_named_by_dataset_model_and_recipe(store, tmp_path):
    assert store == tmp_path / "stores" / "aid" / "vit-tiny-01234567.zarr"


def test_a_store_knows_its_bank(store, tmp_path):
    assert bank_of(store) == Bank(tmp_path)


def test_stores_are_found_by_model(store, tmp_path):
    assert Bank(tmp_path).stores(model="vit-tiny") == [store]
    assert Bank(tmp_path).stores(model="vit") == []


def test_the_newest_store_survives_moving_the_bank(store, tmp_path):
    Bank(tmp_path).remember_newest(store)
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    os.rename(tmp_path, moved)
    assert Bank(moved).newest() == moved / store.relative_to(tmp_path)


def test_a_removed_newest_store_is_named(store, tmp_path):
    Bank(tmp_path).remember_newest(store)
    store.rmdir()
    with pytest.raises(MissingPathError, match="holds no newest store"):
        Bank(tmp_path).newest()


def test_sources_of_several_stores_are_kept(store, tmp_path):
    bank = Bank(tmp_path)
    bank.remember_source(store, {"dataset": "a"})
    bank.remember_source(store.with_name("other.zarr"), {"dataset": "b"})
    assert bank.source(store) == {"dataset": "a"}


def test_a_file_is_written_whole(tmp_path):
    write_atomically(tmp_path / "x.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_living_owner_is_named(store):
    command = [sys.executable, "-c", HOLD, str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        holder.stdout.readline()
        with (
            pytest.raises(LockedError, match=f"process {holder.pid} on"),
            locked(store, tell=print),
        ):
            pass
        holder.kill()


def test_a_killed_owner_is_taken_over(store):
    command = [sys.executable, "-c", HOLD, str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        holder.stdout.readline()
        holder.kill()
        holder.wait()
    told = []
    with locked(store, tell=told.append):
        pass
    assert f"taking over from process {holder.pid}" in told[0]


def test_a_lock_is_gone_after_use(store):
    with locked(store, tell=print):
        pass
    assert list(store.parent.glob("*.lock")) == []


def test_a_torn_log_line_is_passed_over(store):
    runlog.append(store, {"shard": 0})
    with runlog.log_path(store).open("a") as file:
        file.write('{"shard": 1, "ro')
    assert runlog.read(store) == [{"shard": 0}]


def test_the_same_environment_is_no_change(store):
    line = dict.fromkeys(runlog.ENVIRONMENT, "x")
    runlog.append(store, line)
    assert runlog.changed_environment(store, line) == []


def test_results_of_older_columns_join_newer_ones(tmp_path):
    import pandas as pd

    folder = tmp_path / "results"
    folder.mkdir()
    pd.DataFrame({"metric": ["a"], "value": [1.0]}).to_parquet(folder / "1.parquet")
    pd.DataFrame({"metric": ["b"], "value": [2.0], "new": ["x"]}).to_parquet(folder / "2.parquet")
    found = read_results(Bank(tmp_path))
    assert found["value"].tolist() == [1.0, 2.0]
    assert found["new"].isna().tolist() == [True, False]


def test_an_empty_bank_has_no_results(tmp_path):
    assert len(read_results(Bank(tmp_path))) == 0


def test_json_of_the_bank_is_readable(store, tmp_path):
    Bank(tmp_path).remember_newest(store)
    assert json.loads((tmp_path / "newest.json").read_text())["store"].startswith("stores/aid")


def test_a_hub_model_is_one_file_and_found_by_its_name(tmp_path):
    bank = Bank(tmp_path)
    path = bank.store_path(dataset="d", model="hf:owner/vit", recipe="0" * 64)
    path.mkdir(parents=True)
    assert path.parent == bank.stores_folder / "d"
    assert ":" not in path.name
    assert bank.stores(model="hf:owner/vit") == [path]


def test_lines_from_before_blocks_could_be_compiled_mean_that_they_were_not(store):
    runlog.append(store, {"device": "cpu"})
    assert runlog.changed_environment(store, {"device": "cpu", "compiled": False}) == []
    assert runlog.changed_environment(store, {"device": "cpu", "compiled": True}) == [
        "compiled False -> True"
    ]
