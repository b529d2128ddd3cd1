"""Files of saved probes: written whole or not at all, checked when read."""

import json
import os
import stat

import numpy as np
import pytest

from featbank.bank import saved_probes
from featbank.bank.bank import Bank
from featbank.bank.fitted_states import read_state, state_path, write_state
from featbank.bank.saved_probes import find_probe, is_saved, probe_folder, read_probe, write_probe
from featbank.errors import MissingPathError, ProbeError, StoreError, UsageError
from featbank.recipes.recipe import recipe_id

RECORD = {"featbank": "0.1.0", "classes": ["wood", "Wiese"], "value": 0.1}
ARRAYS = {
    "a/b": np.arange(6.0).reshape(2, 3),
    "turned": np.arange(6, dtype=np.int8).reshape(2, 3).T,
}


@pytest.fixture
def bank(tmp_path):
    return Bank(tmp_path / "bank")


@pytest.fixture
def folder(bank):
    return write_probe(bank, "abc123", RECORD, ARRAYS)


def test_a_probe_comes_back(folder):
    record, arrays = read_probe(folder)
    assert record.items() >= RECORD.items()
    assert arrays.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], values)


def test_a_probe_is_two_files(folder):
    assert {path.name for path in folder.iterdir()} == {"probe.json", "probe.safetensors"}


def test_others_may_read_what_the_process_lets_them(folder):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert len(modes) == 1


def test_a_probe_is_replaced(bank, folder):
    write_probe(bank, "abc123", RECORD | {"value": 0.2}, ARRAYS)
    assert read_probe(folder)[0]["value"] == 0.2
    assert os.listdir(folder.parent) == ["abc123"]


def test_a_probe_that_is_not_written_leaves_the_old_one(bank, folder, monkeypatch):
    def fail(path, arrays):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(saved_probes, "write_arrays", fail)
    with pytest.raises(OSError, match="disk full"):
        write_probe(bank, "abc123", {}, ARRAYS)
    assert read_probe(folder)[0]["value"] == 0.1
    assert os.listdir(folder.parent) == ["abc123"]


def test_a_probe_that_another_process_put_there_meanwhile_is_replaced(bank, folder, monkeypatch):
    rename, calls = os.rename, []

    def late(source, target):
        calls.append(target)
        if len(calls) == 1:
            raise FileNotFoundError(source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    write_probe(bank, "abc123", RECORD | {"value": 0.3}, ARRAYS)
    assert read_probe(folder)[0]["value"] == 0.3
    assert os.listdir(folder.parent) == ["abc123"]


def test_a_first_probe_that_is_not_written_leaves_nothing(bank):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_probe(bank, "abc123", {"value": float("nan")}, ARRAYS)
    assert not is_saved(bank, "abc123")
    assert os.listdir(bank.root / "probes") == []


def test_a_probe_is_found_by_the_beginning_of_its_id(bank, folder):
    assert find_probe(bank, "ab") == folder


def test_a_probe_is_found_by_its_folder(bank, folder):
    assert find_probe(bank, str(folder)) == folder


def test_an_id_that_two_probes_begin_with_is_refused(bank, folder):
    write_probe(bank, "abe9", RECORD, ARRAYS)
    with pytest.raises(UsageError, match="--probe ab: 2 saved probes begin so: abc123, abe9"):
        find_probe(bank, "ab")


def test_an_unknown_id_is_told_the_nearest(bank, folder):
    with pytest.raises(MissingPathError, match="Did you mean 'abc123'"):
        find_probe(bank, "abc124")


def test_the_middle_of_an_id_is_not_its_beginning(bank, folder):
    with pytest.raises(MissingPathError, match="no saved probe of bank"):
        find_probe(bank, "c12")


def test_an_empty_id_is_unknown(bank, folder):
    with pytest.raises(MissingPathError, match="expected one of abc123"):
        find_probe(bank, "")


def test_a_bank_without_probes_says_how_to_make_one(bank):
    with pytest.raises(MissingPathError, match="Fit one with 'featbank probe --save'"):
        find_probe(bank, "abc")


def test_a_result_without_its_probe_is_told(bank):
    path = bank.result_path("fee1")
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(MissingPathError, match="its result stands in the bank, but .* not kept"):
        find_probe(bank, "fee")


def test_a_half_written_probe_is_not_found(bank, folder):
    hidden = probe_folder(bank, ".abe9.7.new")
    hidden.mkdir()
    (hidden / "probe.json").write_text("{}")
    assert find_probe(bank, "ab") == folder


def test_damaged_arrays_are_told(folder):
    path = folder / "probe.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ProbeError, match="probe.safetensors: is damaged"):
        read_probe(folder)


def test_missing_arrays_are_told(folder):
    (folder / "probe.safetensors").unlink()
    with pytest.raises(MissingPathError, match="expected the probe's arrays"):
        read_probe(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"format": "other"}', "\x00\xff"])
def test_a_foreign_record_is_told(folder, text):
    (folder / "probe.json").write_text(text)
    with pytest.raises(ProbeError, match="probe.json: is (damaged|no saved probe)"):
        read_probe(folder)


def test_a_record_that_was_changed_by_hand_is_told(folder):
    path = folder / "probe.json"
    path.write_text(path.read_text().replace("wood", "word"))
    with pytest.raises(ProbeError, match="was changed by hand"):
        read_probe(folder)


def test_a_probe_of_a_newer_featbank_is_told(folder):
    path = folder / "probe.json"
    record = json.loads(path.read_text()) | {"format_version": 99, "featbank": "7.0"}
    record.pop("record_sha256")
    path.write_text(json.dumps(record | {"record_sha256": recipe_id(record)}))
    with pytest.raises(ProbeError, match="its format is version 99, written by featbank 7.0"):
        read_probe(folder)


def test_a_fitted_state_comes_back(bank):
    write_state(bank, "5" * 64, ARRAYS)
    np.testing.assert_array_equal(read_state(bank, "5" * 64)["turned"], ARRAYS["turned"])


def test_a_state_that_is_not_kept_is_none(bank):
    assert read_state(bank, "5" * 64) is None


def test_a_damaged_state_is_told(bank):
    write_state(bank, "5" * 64, ARRAYS)
    state_path(bank, "5" * 64).write_bytes(b"x" * 40)
    with pytest.raises(StoreError, match="is damaged"):
        read_state(bank, "5" * 64)
