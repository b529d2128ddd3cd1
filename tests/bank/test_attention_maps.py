import numpy as np
import pytest

from featbank.bank.attention_maps import (
    attention_layers,
    attention_path,
    read_attention,
    write_attention,
)
from featbank.bank.bank import Bank
from featbank.errors import StoreError

RECIPE = "ab" * 32


def maps(*names, value=0.5):
    return {name: np.full((3, 1, 2, 4), value, np.float32) for name in names}


def test_what_is_written_is_read(tmp_path):
    write_attention(Bank(tmp_path), RECIPE, 11, maps("Airport/airport_1"))
    found = read_attention(Bank(tmp_path), RECIPE, 11)
    np.testing.assert_array_equal(found["Airport/airport_1"], np.full((3, 1, 2, 4), 0.5))


def test_what_is_kept_stays_and_what_is_new_replaces(tmp_path):
    bank = Bank(tmp_path)
    write_attention(bank, RECIPE, 11, maps("a", "b"))
    path, kept = write_attention(bank, RECIPE, 11, maps("b", "c", value=0.25))
    found = read_attention(bank, RECIPE, 11)
    assert kept == 3
    assert path == attention_path(bank, RECIPE, 11)
    assert {name: float(one.max()) for name, one in found.items()} == {
        "a": 0.5,
        "b": 0.25,
        "c": 0.25,
    }


def test_blocks_are_told_apart_and_listed(tmp_path):
    bank = Bank(tmp_path)
    for layer in (11, 2):
        write_attention(bank, RECIPE, layer, maps("a"))
    write_attention(bank, "cd" * 32, 5, maps("a"))
    assert attention_layers(bank, RECIPE) == [2, 11]
    assert read_attention(bank, RECIPE, 5) == {}


def test_a_damaged_file_is_named(tmp_path):
    bank = Bank(tmp_path)
    path, _ = write_attention(bank, RECIPE, 11, maps("a"))
    path.write_bytes(b"torn")
    with pytest.raises(StoreError, match="is damaged.*attend again"):
        read_attention(bank, RECIPE, 11)
