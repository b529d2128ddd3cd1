"""A bank on a device, with torch's CPU as the device."""

from itertools import islice

import numpy as np
import pytest
import torch

from featbank.knn.bank import as_bank, prepare
from featbank.knn.device_bank import DeviceBank, fits

FEATURES = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
CPU = torch.device("cpu")


@pytest.mark.parametrize("made", [prepare, as_bank])
@pytest.mark.parametrize("may_keep", [False, True])
@pytest.mark.parametrize("piece_rows", [7, 50, 64])
def test_tiles_are_the_whole_bank_in_order(made, may_keep, piece_rows):
    expected = prepare(FEATURES, "euclidean")
    bank = DeviceBank(made(FEATURES, "euclidean"), CPU, piece_rows=piece_rows, may_keep=may_keep)
    for _ in range(2):
        tiles = [(at, rows.clone(), far.clone()) for at, rows, far in bank.tiles(20)]
        starts, rows, offsets = zip(*tiles, strict=True)
        assert list(starts) == list(np.cumsum([0, *map(len, rows)])[:-1])
        np.testing.assert_array_equal(torch.cat(rows), expected.rows)
        known = expected.space.offsets(expected.rows)
        np.testing.assert_array_equal(torch.cat(offsets).float(), known.astype(np.float32))


@pytest.mark.parametrize("may_keep", [False, True])
def test_a_tile_stays_as_it_is_while_the_next_is_copied(may_keep):
    prepared = prepare(FEATURES)
    bank = DeviceBank(prepared, CPU, piece_rows=7, may_keep=may_keep)
    (_, first, _), _ = islice(bank.tiles(7), 2)
    np.testing.assert_array_equal(first, prepared.rows[:7])


def test_offsets_that_are_kept_are_exact():
    prepared = prepare(FEATURES, "euclidean")
    bank = DeviceBank(prepared, CPU, piece_rows=7, may_keep=True)
    list(bank.tiles(20))
    np.testing.assert_array_equal(bank.kept[1], prepared.space.offsets(prepared.rows))


def test_a_bank_without_room_is_copied(monkeypatch):
    real = torch.empty

    def empty(shape, **options):
        if tuple(shape) == FEATURES.shape:
            raise torch.OutOfMemoryError("no room")
        return real(shape, **options)

    monkeypatch.setattr(torch, "empty", empty)
    bank = DeviceBank(prepare(FEATURES), CPU, piece_rows=7, may_keep=True)
    assert len(list(bank.tiles(20))) == 8
    assert bank.kept is None


@pytest.mark.parametrize(("free", "reserved", "held"), [(1200, 0, 1), (1199, 0, 0), (1000, 200, 1)])
def test_half_of_what_is_free_is_enough(free, reserved, held, monkeypatch):
    # 25 rows of four float32 and one float64.
    bank = prepare(FEATURES[:25])
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 10**6))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 300 + reserved)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 300)
    assert fits(bank, torch.device("cuda")) == bool(held)
