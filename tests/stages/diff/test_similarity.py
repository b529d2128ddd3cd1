"""Distances between feature matrices against plain, slow references."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from featbank.stages.diff import similarity
from featbank.stages.diff.similarity import linear_cka, neighbour_overlap, row_distance

seeds = st.integers(0, 2**31)


def pair(seed, n=30, widths=(4, 6), shared=2):
    """Two matrices that share some of their directions, far off the origin."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, shared))
    sides = [rng.normal(size=(n, width)) for width in widths]
    return [
        (np.concatenate([common * 2, side[:, shared:]], axis=1) + 7 * scale).astype(np.float32)
        for scale, side in enumerate(sides, start=1)
    ]


def gram_cka(x, y):
    """The alignment of centred Gram matrices, as the paper defines it."""
    n = len(x)
    centre = np.eye(n) - 1 / n
    k, m = (centre @ (s.astype(float) @ s.astype(float).T) @ centre for s in (x, y))
    return np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))


def plain_overlap(x, y, k):
    """Neighbours one by one."""
    shares = []
    for row in range(len(x)):
        lists = []
        for side in (x.astype(float), y.astype(float)):
            cosines = side @ side[row] / np.linalg.norm(side, axis=1) / np.linalg.norm(side[row])
            others = [other for other in np.argsort(-cosines) if other != row]
            lists.append(set(others[:k]))
        shares.append(len(lists[0] & lists[1]) / k)
    return np.mean(shares)


@given(seeds)
def test_cka_is_that_of_the_gram_matrices(seed):
    x, y = pair(seed)
    assert linear_cka(x, y) == pytest.approx(gram_cka(x, y), abs=1e-9)


def test_cka_over_several_blocks_is_that_over_one(monkeypatch):
    x, y = pair(3, n=50)
    expected = linear_cka(x, y)
    monkeypatch.setattr(similarity, "_BLOCK_ROWS", 7)
    assert linear_cka(x, y) == pytest.approx(expected, abs=1e-12)


@given(seeds, st.floats(0.01, 100))
def test_cka_ignores_rotation_shift_and_scale(seed, scale):
    x, _ = pair(seed)
    rotation = ortho_group.rvs(4, random_state=seed)
    assert linear_cka(x, x @ rotation * scale + 3) == pytest.approx(1, abs=1e-6)


def test_cka_is_symmetric_and_asymmetric_inputs_are_told_apart():
    x, y = pair(5)
    assert linear_cka(x, y) == pytest.approx(linear_cka(y, x), abs=1e-12)
    assert 0.1 < linear_cka(x, y) < 0.99


def test_cka_of_features_that_do_not_vary_is_undefined():
    x, _ = pair(0)
    assert np.isnan(linear_cka(x, np.ones((len(x), 2), np.float32)))


@given(seeds, st.integers(1, 12))
def test_overlap_is_that_of_a_loop(seed, k):
    x, y = pair(seed)
    found, taken = neighbour_overlap(x, y, k=k)
    assert (found, taken) == (pytest.approx(plain_overlap(x, y, k), abs=1e-9), k)


def test_overlap_of_equal_features_is_one_even_with_duplicates():
    x = np.repeat(pair(1)[0], 3, axis=0)
    assert neighbour_overlap(x, x)[0] == 1.0


def test_a_sample_is_not_its_own_neighbour():
    x = np.eye(4, dtype=np.float32)
    x[0, 1] = x[2, 3] = 0.9
    y = x[[0, 2, 1, 3]]
    assert neighbour_overlap(x, y, k=1)[0] == 0.0


def test_few_samples_take_fewer_neighbours():
    x, y = pair(2, n=5)
    assert neighbour_overlap(x, y)[1] == 4
    assert np.isnan(neighbour_overlap(x[:1], y[:1])[0])


def test_many_samples_are_drawn_by_seed(monkeypatch):
    monkeypatch.setattr(similarity, "MAX_OVERLAP_ROWS", 40)
    x, y = pair(4, n=200)
    shares = [neighbour_overlap(x, y, seed=seed)[0] for seed in (0, 0, 1)]
    assert shares[0] == shares[1] != shares[2]
    rows = np.sort(np.random.default_rng(0).choice(200, 40, replace=False))
    assert shares[0] == pytest.approx(plain_overlap(x[rows], y[rows], 10))


@given(seeds)
def test_row_distance_is_that_of_a_loop(seed):
    x, y = pair(seed, widths=(5, 5))
    found = row_distance(x, y)
    cosines = [
        a @ b / np.sqrt(a @ a) / np.sqrt(b @ b)
        for a, b in zip(x.astype(float), y.astype(float), strict=True)
    ]
    assert found.max_abs == np.abs(x.astype(float) - y).max()
    assert found.mean_cosine == pytest.approx(np.mean(cosines), abs=1e-12)
    assert (found.lowest_cosine, found.lowest_row) == (
        pytest.approx(min(cosines), abs=1e-12),
        int(np.argmin(cosines)),
    )


def test_distances_are_found_in_every_block(monkeypatch):
    monkeypatch.setattr(similarity, "_BLOCK_ROWS", 4)
    x = np.ones((10, 3), np.float32)
    y = x.copy()
    y[9, 0], y[5] = 4.0, [-1, 1, 1]
    found = row_distance(x, y)
    assert (found.max_abs, found.lowest_row) == (3.0, 5)


def test_equal_rows_have_cosine_one_and_zeros_against_others_none():
    x = np.array([[0, 0], [0, 0], [0.1, 0.7]], np.float32)
    y = np.array([[0, 0], [1, 0], [0.1, 0.7]], np.float32)
    found = row_distance(x, y)
    assert (found.lowest_cosine, found.lowest_row, found.mean_cosine) == (0.0, 1, 2 / 3)
