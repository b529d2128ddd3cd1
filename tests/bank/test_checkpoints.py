"""A checkpoint is written whole or not at all, and read back as it was written."""

import os
import re

import numpy as np
import pytest
import torch
from made_checkpoint import tiny_record, write_tiny

from featbank.bank.bank import Bank
from featbank.bank.checkpoints import (
    ENCODER,
    HEADS,
    RECORD,
    checkpoint_path,
    checkpoints,
    encoder_sha256,
    read_checkpoint,
    read_encoder,
    read_heads,
    read_seen,
    write_checkpoint,
)
from featbank.disk import write_new
from featbank.errors import MissingPathError, WeightsError
from featbank.recipes.recipe import file_sha256

HEAD = {"head.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}


def arrays(value):
    return {"a.weight": np.full((2, 3), value, np.float32), "a.bias": np.arange(3.0, dtype="f4")}


def former(tmp_path):
    path = tmp_path / "c"
    write_checkpoint(path, tiny_record(steps=1), arrays(1), HEAD, seen={"chips": ["a"]})
    return path


def newer(path):
    write_checkpoint(path, tiny_record(steps=2), arrays(2), {}, seen={"chips": ["a", "b"]})


def stands(path):
    return (
        read_checkpoint(path).steps,
        float(read_encoder(path)["a.weight"][0, 0]),
        sorted(read_heads(path)),
        {name: sorted(ids) for name, ids in read_seen(path).items()},
    )


FORMER = (1, 1.0, ["head.weight"], {"chips": ["a"]})


def test_a_record_comes_back_as_it_was_written(tmp_path):
    path = write_tiny(tmp_path)
    assert read_checkpoint(path) == tiny_record()


def test_tensors_of_any_precision_and_order_come_back_as_float32(tmp_path):
    value = torch.arange(6).reshape(2, 3).to(torch.bfloat16).T.requires_grad_(False)
    write_checkpoint(tmp_path / "c", tiny_record(), {"x": value}, {})
    back = read_encoder(tmp_path / "c")["x"]
    assert back.dtype == np.float32
    assert back.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_the_recorded_hash_is_the_encoder_files(tmp_path):
    path = write_tiny(tmp_path)
    assert encoder_sha256(path) == file_sha256(path / ENCODER)


def test_a_newer_state_takes_the_place_of_the_former(tmp_path):
    path = former(tmp_path)
    newer(path)
    assert stands(path) == (2, 2.0, [], {"chips": ["a", "b"]})
    assert not (path / HEADS).exists()


@pytest.mark.parametrize("call", range(1, 5))
def test_a_rename_that_fails_leaves_the_former_checkpoint(tmp_path, monkeypatch, call):
    path, calls, replace = former(tmp_path), [], os.replace

    def failing(source, target):
        calls.append(target)
        if len(calls) == call and not str(source).endswith(".former"):
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    if call == 4:
        newer(path)  # encoder, seen and record: three renames in all
        assert stands(path)[0] == 2
        return
    with pytest.raises(OSError, match="Input/output"):
        newer(path)
    assert stands(path) == FORMER


@pytest.mark.parametrize("failing", [ENCODER, RECORD])
def test_a_disk_that_fills_leaves_the_former_checkpoint_and_no_litter(
    tmp_path, monkeypatch, failing
):
    path = former(tmp_path)
    names = sorted(os.listdir(path))

    def full(hidden, data):
        if failing in hidden.name:
            write_new(hidden, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        write_new(hidden, data)

    monkeypatch.setattr("featbank.bank.checkpoints.write_new", full)
    with pytest.raises(OSError, match="No space left"):
        newer(path)
    assert stands(path) == FORMER
    assert sorted(os.listdir(path)) == names


@pytest.mark.parametrize("left", [0, 5, 60, -1])
def test_a_cut_encoder_is_one_clear_line(tmp_path, left):
    path = write_tiny(tmp_path)
    whole = (path / ENCODER).read_bytes()
    (path / ENCODER).write_bytes(whole[:left])
    with pytest.raises(WeightsError, match=r"encoder\.safetensors: is cut short, damaged"):
        read_encoder(path)


def test_a_flipped_bit_of_the_encoder_is_seen(tmp_path):
    path = write_tiny(tmp_path)
    whole = bytearray((path / ENCODER).read_bytes())
    whole[-5] ^= 1
    (path / ENCODER).write_bytes(whole)
    with pytest.raises(WeightsError, match="damaged"):
        read_encoder(path)


def test_a_missing_encoder_is_one_clear_line(tmp_path):
    path = write_tiny(tmp_path)
    (path / ENCODER).unlink()
    with pytest.raises(WeightsError, match=re.escape(f"{ENCODER}: is missing")):
        read_encoder(path)


def test_a_cut_record_is_one_clear_line(tmp_path):
    path = write_tiny(tmp_path)
    (path / RECORD).write_bytes((path / RECORD).read_bytes()[:50])
    with pytest.raises(WeightsError, match="is no record of a checkpoint"):
        read_checkpoint(path)


def test_a_folder_without_a_record_is_named(tmp_path):
    with pytest.raises(MissingPathError, match=r"holds no checkpoint\.json"):
        read_checkpoint(tmp_path)


def test_seen_ids_come_back_by_dataset(tmp_path):
    path = write_tiny(tmp_path, seen={"a": ["1", "2"], "b": ["1"]})
    assert read_seen(path) == {"a": {"1", "2"}, "b": {"1"}}


def test_a_checkpoint_without_seen_ids_has_none(tmp_path):
    assert read_seen(write_tiny(tmp_path)) == {}


def test_a_bank_lists_its_checkpoints(tmp_path):
    bank = Bank(tmp_path)
    paths = [checkpoint_path(bank, dataset=name, name="dino-x-1") for name in ("b", "a")]
    for path in paths:
        write_checkpoint(path, tiny_record(), arrays(1), {})
    assert checkpoints(bank) == sorted(paths)
