"""Candidates and exact scores of the device's scan, with torch's CPU as the device."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from featbank.knn import device_scan
from featbank.knn.device_scan import DeviceScan, exact_scores
from featbank.knn.exact import rescore
from featbank.knn.scan import Scan
from featbank.knn.space import CosineSpace, EuclideanSpace

CPU = torch.device("cpu")


def small(rows):
    """Rows of small integers, many of them equal."""
    return hnp.arrays(np.float64, (rows, 3), elements=st.sampled_from([-1.0, 0.0, 1.0, 2.0]))


def prepared(queries, bank, *, euclidean):
    space = EuclideanSpace(center=np.full(3, 0.25), scale=4.0) if euclidean else CosineSpace()
    rows = space.bank_rows(bank)
    return space.query_rows(queries), rows, space.offsets(rows)


def on_torch(values):
    return None if values is None else torch.from_numpy(values)


def scanned(queries, rows, offsets, *, keep, tile, exclude=None):
    scan = DeviceScan(queries, keep, place=CPU, exclude=exclude)
    for start in range(0, len(rows), tile):
        part = slice(start, start + tile)
        near = None if offsets is None else torch.from_numpy(offsets[part])
        scan.add(start, torch.from_numpy(rows[part]), near)
    return scan


def exact(queries, rows, offsets):
    scores = queries.astype(float) @ rows.T.astype(float)
    return scores if offsets is None else scores + offsets


@given(queries=small(5), bank=small(23), keep=st.integers(1, 30), tile=st.integers(1, 25),
       euclidean=st.booleans())  # fmt: skip
def test_no_row_left_out_is_above_the_bound(queries, bank, keep, tile, euclidean):
    queries, rows, offsets = prepared(queries, bank, euclidean=euclidean)
    scan = scanned(queries, rows, offsets, keep=keep, tile=tile)
    index, bound, _ = scan.rescored(torch.from_numpy(rows), on_torch(offsets))
    scores = exact(queries, rows, offsets).astype(np.float32)
    for i, kept in enumerate(index):
        left_out = np.delete(scores[i], kept[kept >= 0])
        assert left_out.max(initial=-np.inf) <= bound[i] + 1e-6
        assert (len(left_out) == 0) == (bound[i] == -np.inf)


@given(queries=small(5), bank=small(23), k=st.integers(1, 23), tile=st.integers(1, 25))
def test_what_is_pruned_is_what_the_host_prunes(queries, bank, k, tile):
    queries, rows, _ = prepared(queries, bank, euclidean=False)
    host = Scan(queries, 23, tile_rows=tile)
    host.add(0, rows, None, None)
    found = scanned(queries, rows, None, keep=23, tile=tile).candidates(k)
    for ours, theirs in zip(found, host.candidates(k), strict=True):
        np.testing.assert_array_equal(np.sort(ours), np.sort(theirs))


@pytest.mark.parametrize("tile", [1, 4, 9, 40])
def test_a_row_that_is_excluded_is_no_candidate(tile):
    queries, rows, _ = prepared(np.eye(3), np.ones((9, 3)), euclidean=False)
    exclude = np.array([0, 8, -1])
    scan = scanned(queries, rows, None, keep=9, tile=tile, exclude=exclude)
    pruned, (scored, _, scores) = scan.candidates(1)[0], scan.rescored(torch.from_numpy(rows), None)
    for index in (np.sort(pruned), scored):
        assert index.tolist() == [[-1, *range(1, 9)], [-1, *range(8)], [*range(9)]]
    np.testing.assert_array_equal(scored < 0, np.isneginf(scores))


@pytest.mark.parametrize("euclidean", [False, True])
@pytest.mark.parametrize("gathered", [1, 200, 1 << 20])
def test_exact_scores_are_the_hosts_to_the_last_bit(euclidean, gathered, monkeypatch):
    monkeypatch.setattr(device_scan, "_GATHERED_BYTES", gathered)
    draw = np.random.default_rng(0)
    queries, rows, offsets = prepared(
        draw.normal(size=(7, 3)), draw.normal(size=(50, 3)), euclidean=euclidean
    )
    index = np.sort(draw.integers(-1, 50, (7, 9)))
    expected = np.full((7, 9), -np.inf)
    rescore(expected, index, queries, (0, rows, offsets))
    found = exact_scores(*map(on_torch, (queries, index, rows, offsets)))
    np.testing.assert_array_equal(found.numpy(), expected)
