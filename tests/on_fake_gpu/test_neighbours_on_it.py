"""k nearest neighbours on the device: the CPU's, rescored by all of the host's threads."""

import numpy as np
import pytest
from fake_gpu.tracing import traced

from featbank.errors import UsageError
from featbank.knn import search
from featbank.knn.search import Plan, nearest


def features(rows, seed, dim=16):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


QUERIES, BANK = features(50, 0), features(3000, 1)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("excluded", [False, True])
def test_neighbours_are_those_of_the_cpu(metric, excluded):
    exclude = np.arange(50) - 1 if excluded else None
    found, expected = (
        nearest(QUERIES, BANK, k=20, metric=metric, exclude=exclude,
                plan=Plan(device=device, threads=2, tile_rows=256))
        for device in ("cuda", "cpu")
    )  # fmt: skip
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_candidates_are_rescored_by_every_thread(monkeypatch):
    blocks = []
    real = search.rescore
    monkeypatch.setattr(search, "rescore", lambda *args: blocks.append(len(args[0])) or real(*args))
    nearest(QUERIES, BANK, k=5, plan=Plan(device="cuda", threads=4))
    assert len(blocks) == 4
    assert sum(blocks) == len(QUERIES)


def test_scores_are_computed_in_one_block_and_waited_for_a_few_times_a_tile():
    tiles = 6
    with traced() as trace:
        nearest(QUERIES, BANK, k=5, plan=Plan(device="cuda", threads=2, tile_rows=512))
    assert sum(n for name, n in trace.kernels.items() if "mm" in name) == tiles
    # Queries once; rows and thresholds of each tile, whose scores come back first whole, then
    # those above the thresholds alone: how many, where and what.
    assert len(trace.copies_in) <= 1 + 2 * tiles
    assert len(trace.copies_out) <= 3 * tiles
    assert len(trace.waits) <= tiles


def test_libraries_that_round_float32_void_the_bound_and_are_refused(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    with pytest.raises(UsageError, match="NVIDIA_TF32_OVERRIDE=1: .*TF32"):
        nearest(QUERIES, BANK, k=5, plan=Plan(device="cuda"))
    nearest(QUERIES, BANK, k=5, plan=Plan(device="cpu"))


def test_products_are_float32_whatever_was_allowed_before(monkeypatch):
    from torch import backends

    from featbank.knn.scan import TorchProduct

    seen, real = [], TorchProduct.compute
    monkeypatch.setattr(
        TorchProduct,
        "compute",
        lambda *args: seen.append(backends.cuda.matmul.fp32_precision) or real(*args),
    )
    monkeypatch.setattr(backends.cuda.matmul, "fp32_precision", "tf32")
    nearest(QUERIES, BANK, k=5, plan=Plan(device="cuda"))
    assert set(seen) == {"ieee"}
    assert backends.cuda.matmul.fp32_precision == "tf32"
