"""A search on a device finds what the host does, with torch's CPU as the device."""

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from featbank.errors import MemoryShortError
from featbank.knn import device_bank, device_search
from featbank.knn.bank import prepare
from featbank.knn.device_scan import DeviceScan
from featbank.knn.search import Plan, nearest

# The host is ``cpu``; torch's own name of its first CPU is that of a device like any other.
DEVICE = "cpu:0"


def keeping(kept):
    return mock.patch.object(device_search, "fits", return_value=kept)


def features(rows, seed):
    return np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)


def small(rows):
    """Rows of small integers, many of them equal."""
    return hnp.arrays(np.float64, (rows, 3), elements=st.integers(-2, 2).map(float))


@st.composite
def plans(draw):
    names = ("device_tile_rows", "read_rows", "pass_rows")
    cut = {name: draw(st.integers(1, 45)) for name in names}
    return Plan(device=DEVICE, margin=draw(st.integers(0, 9)), threads=1, **cut)


@st.composite
def searches(draw):
    """Arguments of ``nearest`` but for the plan."""
    bank, metric = draw(small(40)), draw(st.sampled_from(["cosine", "euclidean"]))
    exclude = st.none() | hnp.arrays(np.int64, 7, elements=st.integers(-1, 39))
    bank = prepare(bank, metric) if draw(st.booleans()) else bank
    return {"queries": draw(small(7)), "bank": bank, "k": draw(st.integers(1, 39)),
            "metric": metric, "exclude": draw(exclude)}  # fmt: skip


@settings(max_examples=100)  # of ties, cuts and exclusions few meet in one
@given(search=searches(), plan=plans(), kept=st.booleans())
def test_a_device_changes_no_bit(search, plan, kept):
    with keeping(kept):
        found = nearest(**search, plan=plan)
    expected = nearest(**search, plan=Plan(device="cpu", threads=1))
    assert found[0].tobytes() == expected[0].tobytes()
    np.testing.assert_array_equal(found[1], expected[1])


QUERIES, BANK = features(20, 0), features(5000, 1)
PLAN = Plan(device=DEVICE, threads=1, pass_rows=12)


NO_ROOM = torch.OutOfMemoryError("no room")


@pytest.fixture
def short(monkeypatch):
    """A device that holds no scores of so many rows; those that it is asked for are listed."""
    asked, real = [], DeviceScan.add

    def hold(at_most, error=NO_ROOM):
        def add(self, start, rows, offsets):
            asked.append(len(rows))
            if len(rows) > at_most():
                raise error
            real(self, start, rows, offsets)

        monkeypatch.setattr(DeviceScan, "add", add)
        return asked

    return hold


def test_tiles_are_halved_once_for_all_passes_where_memory_is_short(short):
    expected, asked, told = nearest(QUERIES, BANK, k=5), short(lambda: 2000), []
    with keeping(True):
        found = nearest(QUERIES, BANK, k=5, plan=PLAN, progress=lambda *now: told.append(now))
    np.testing.assert_array_equal(found, expected)
    assert asked == [5000, 2500, *2 * [1250] * 4]
    assert [done for done, _ in told] == [12 * 1250 * n for n in range(1, 5)] + [
        12 * 5000 + 8 * 1250 * n for n in range(1, 5)
    ]


def test_a_library_that_finds_no_memory_halves_tiles_too(short):
    asked = short(lambda: 2000, RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"))
    with keeping(True):
        nearest(QUERIES, BANK, k=5, plan=PLAN)
    assert min(asked) == 1250


def test_another_error_of_the_device_halves_nothing(short):
    asked = short(lambda: 2000, RuntimeError("CUDA error: an illegal memory access"))
    with keeping(True), pytest.raises(RuntimeError, match="illegal"):
        nearest(QUERIES, BANK, k=5, plan=PLAN)
    assert asked == [5000]


def test_rows_that_were_told_are_not_told_again(short):
    left, told = iter([5000, 5000, 0]), []
    short(lambda: next(left, 5000))
    with keeping(True):
        nearest(QUERIES, BANK, k=5, plan=Plan(device=DEVICE, device_tile_rows=2048),
                progress=lambda *now: told.append(now[0]))  # fmt: skip
    assert told == sorted(told)
    assert told[-1] == 20 * 5000


def test_a_bank_is_kept_no_longer_where_the_smallest_tile_finds_no_room(short, monkeypatch):
    expected, banks = nearest(QUERIES, BANK, k=5), []
    real = device_search.DeviceBank
    monkeypatch.setattr(
        device_search, "DeviceBank", lambda *a, **o: banks.append(real(*a, **o)) or banks[0]
    )
    short(lambda: 0 if banks[0].kept else 5000)
    with keeping(True):
        found = nearest(QUERIES, BANK, k=5, plan=PLAN)
    np.testing.assert_array_equal(found, expected)
    assert banks[0].kept is None


def test_a_bank_whose_offsets_find_no_room_is_copied(monkeypatch):
    expected = nearest(QUERIES, BANK, k=5, metric="euclidean")
    real = device_bank.moved

    def moved(values, place):
        if values.dtype == np.float64:
            raise torch.OutOfMemoryError("no room")
        return real(values, place)

    monkeypatch.setattr(device_bank, "moved", moved)
    with keeping(True):
        found = nearest(QUERIES, BANK, k=5, metric="euclidean", plan=PLAN)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kept", [False, True])
def test_a_device_without_room_for_a_small_tile_is_told_of(short, kept):
    short(lambda: 0)
    with keeping(kept), pytest.raises(MemoryShortError, match="12 queries and 1024 bank rows"):
        nearest(QUERIES, BANK, k=5, plan=PLAN)
