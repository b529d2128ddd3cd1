"""k nearest neighbours on the device: the CPU's, of a bank that is copied there once if it fits."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from fake_gpu.tracing import traced

from featbank.errors import UsageError
from featbank.knn import search
from featbank.knn.bank import prepare
from featbank.knn.search import Plan, nearest


def features(rows, seed, dim=16):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


QUERIES, BANK = features(50, 0), features(3000, 1)
PASSES = 4
ROWS_BYTES, QUERIES_BYTES, OFFSETS_BYTES = BANK.nbytes, QUERIES.nbytes, 8 * len(BANK)


@pytest.fixture
def small_device(monkeypatch):
    """A device with room for scores alone."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2 * ROWS_BYTES - 1, 8 << 30))


def traced_search(bank=BANK, metric="cosine", tile_rows=512, **cut):
    """A search in several passes, none of whose queries is doubtful."""
    cut = {"pass_rows": -(-len(QUERIES) // PASSES), "read_rows": 700, **cut}
    plan = Plan(device="cuda", threads=2, device_tile_rows=tile_rows, **cut)
    with traced() as trace:
        nearest(QUERIES, bank, k=5, metric=metric, exclude=np.arange(50) - 1, plan=plan)
    return trace


def n_bytes(copies):
    return sum(copy.n_bytes for copy in copies)


def neighbours_are_those_of_the_cpu(metric, excluded):
    exclude = np.arange(50) - 1 if excluded else None
    found, expected = (
        nearest(QUERIES, BANK, k=20, metric=metric, exclude=exclude,
                plan=Plan(device=device, threads=2, pass_rows=30, device_tile_rows=256))
        for device in ("cuda", "cpu")
    )  # fmt: skip
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("excluded", [False, True])
def test_neighbours_are_those_of_the_cpu(metric, excluded):
    neighbours_are_those_of_the_cpu(metric, excluded)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbours_in_a_bank_that_is_not_kept_are_those_of_the_cpu(metric, small_device):
    neighbours_are_those_of_the_cpu(metric, excluded=True)


@pytest.mark.parametrize("made", [prepare, lambda bank, _: bank])
def test_passes_share_one_copy_of_a_bank_that_fits(made):
    trace = traced_search(made(BANK, "euclidean"), "euclidean")
    own = QUERIES_BYTES + 8 * len(QUERIES)
    assert n_bytes(trace.copies_in) == own + ROWS_BYTES + OFFSETS_BYTES


def test_a_bank_that_does_not_fit_is_copied_by_each_pass(small_device):
    trace = traced_search()
    assert n_bytes(trace.copies_in) == QUERIES_BYTES + 8 * len(QUERIES) + PASSES * ROWS_BYTES
    assert max(copy.n_bytes for copy in trace.copies_in) == 512 * 16 * 4


def test_nothing_that_goes_to_the_device_stops_the_host():
    assert not [copy for copy in traced_search().copies_in if copy.blocks]


def test_nothing_of_a_bank_that_is_not_kept_stops_the_host(small_device):
    assert not [copy for copy in traced_search(metric="euclidean").copies_in if copy.blocks]


def test_results_are_read_once_a_pass():
    trace = traced_search()
    # Indices, float32 scores for the bound, and exact scores.
    assert len(trace.copies_out) == 3 * PASSES


def test_candidates_of_a_bank_that_is_not_kept_are_read_once_a_pass(small_device):
    assert len(traced_search().copies_out) == 2 * PASSES


def test_waits_are_as_many_as_pieces_copied_and_not_more_with_more_tiles():
    few, many = traced_search(tile_rows=1024), traced_search(tile_rows=64)
    mm = "aten.mm.default"
    assert (few.kernels[mm], many.kernels[mm]) == (PASSES * 3, PASSES * 47)
    # Five pieces, of which the first two find their page-locked memory free.
    assert few.waits == many.waits == ["Event.synchronize"] * 3


def test_a_bank_in_two_pieces_is_searched_without_a_wait():
    assert traced_search(tile_rows=64, read_rows=1500).waits == []


def test_the_host_waits_for_no_more_than_the_copy_before_the_last(small_device):
    assert traced_search().waits == ["Event.synchronize"] * 4 * PASSES


def test_pieces_are_copied_beside_the_kernels_which_wait_for_each(small_device):
    trace = traced_search(pass_rows=50)
    (beside,) = {copy.stream for copy in trace.copies_in} - {"default"}
    assert n_bytes(c for c in trace.copies_in if c.stream == beside) == ROWS_BYTES
    assert trace.orders == [(beside, "default"), ("default", beside)] * 6


@pytest.mark.parametrize("queries", [50, 13])
def test_candidates_of_a_bank_that_is_not_kept_are_rescored_by_every_thread(
    queries, monkeypatch, small_device
):
    blocks = []
    real = search.rescore
    monkeypatch.setattr(search, "rescore", lambda *args: blocks.append(len(args[0])) or real(*args))
    nearest(QUERIES[:queries], BANK, k=5, plan=Plan(device="cuda", threads=4))
    assert len(blocks) == 4
    assert sum(blocks) == queries


def test_candidates_of_a_bank_that_is_kept_are_rescored_on_the_device(monkeypatch):
    monkeypatch.setattr(search, "rescore", None)
    assert traced_search().kernels["aten.bmm.default"] == PASSES


def test_libraries_that_round_float32_void_the_bound_and_are_refused(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    with pytest.raises(UsageError, match="NVIDIA_TF32_OVERRIDE=1: .*TF32"):
        nearest(QUERIES, BANK, k=5, plan=Plan(device="cuda"))
    nearest(QUERIES, BANK, k=5, plan=Plan(device="cpu"))


def test_products_are_float32_whatever_was_allowed_before(monkeypatch):
    from torch import backends

    from featbank.knn.device_scan import DeviceScan

    seen, real = [], DeviceScan.add
    monkeypatch.setattr(
        DeviceScan,
        "add",
        lambda *args: seen.append(backends.cuda.matmul.fp32_precision) or real(*args),
    )
    monkeypatch.setattr(backends.cuda.matmul, "fp32_precision", "tf32")
    nearest(QUERIES, BANK, k=5, plan=Plan(device="cuda"))
    assert set(seen) == {"ieee"}
    assert backends.cuda.matmul.fp32_precision == "tf32"


def test_a_piece_is_copied_over_one_that_kernels_have_left(small_device):
    trace = traced_search(pass_rows=50)
    waited = [mark.kernels for mark in trace.awaited if mark.stream == "default"]
    # Each waits for what was queued before the piece in between, so for more than the one before.
    assert len(waited) == 6
    assert all(later > earlier for earlier, later in pairwise(waited[1:]))
