"""The exact nearest-neighbour search, against a full stable sort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from featbank.errors import ProbeError
from featbank.knn.search import nearest, unit_norm


def sorted_neighbours(queries, bank, k):
    similarity = queries @ bank.T
    index = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(similarity, index, axis=1), index


def halves(rows):
    """Rows of four numbers ±0.5: unit norm, exact products, many duplicates."""
    return hnp.arrays(np.float64, (rows, 4), elements=st.sampled_from([-0.5, 0.5]))


def random_features(rows, seed, dtype=np.float32):
    return unit_norm(np.random.default_rng(seed).normal(size=(rows, 8)).astype(dtype))


@settings(deadline=None)
@given(queries=halves(7), bank=halves(40), k=st.integers(1, 40), tile_rows=st.integers(1, 45))
def test_nearest_equals_a_full_stable_sort(queries, bank, k, tile_rows):
    similarity, index = nearest(queries, bank, k=k, tile_rows=tile_rows, query_rows=3)
    expected_similarity, expected_index = sorted_neighbours(queries, bank, k)
    np.testing.assert_array_equal(index, expected_index)
    np.testing.assert_array_equal(similarity, expected_similarity)


@settings(deadline=None)
@given(bank=halves(40), tile_rows=st.integers(1, 45))
def test_a_query_against_increasing_similarities_is_exact(bank, tile_rows):
    increasing = bank[np.argsort(bank[:, 0] + bank[:, 1] + bank[:, 2], kind="stable")]
    query = np.array([[0.5, 0.5, 0.5, 0.5]])
    _, index = nearest(query, increasing, k=5, tile_rows=tile_rows)
    np.testing.assert_array_equal(index, sorted_neighbours(query, increasing, 5)[1])


def test_random_features_equal_a_full_sort():
    queries, bank = random_features(50, 0), random_features(900, 1)
    _, index = nearest(queries, bank, k=20, tile_rows=128, query_rows=16)
    np.testing.assert_array_equal(index, sorted_neighbours(queries, bank, 20)[1])


def test_identical_bank_rows_are_found_in_order():
    bank = np.tile(random_features(1, 0), (30, 1))
    _, index = nearest(bank[:2], bank, k=4, tile_rows=7)
    assert index.tolist() == [[0, 1, 2, 3]] * 2


def test_each_row_is_its_own_nearest():
    bank = random_features(100, 2)
    _, index = nearest(bank, bank, k=1, tile_rows=32)
    np.testing.assert_array_equal(index[:, 0], np.arange(100))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_is_kept(dtype):
    bank = random_features(9, 3, dtype)
    assert nearest(bank, bank, k=2)[0].dtype == dtype


def test_half_precision_is_widened():
    bank = random_features(9, 3).astype(np.float16)
    assert nearest(bank, bank, k=2)[0].dtype == np.float32


def test_no_queries_give_empty_results():
    similarity, index = nearest(np.zeros((0, 8)), random_features(9, 4), k=3)
    assert similarity.shape == index.shape == (0, 3)


def test_memory_stays_below_the_whole_similarity_matrix():
    import tracemalloc

    queries, bank = random_features(1500, 5), random_features(20_000, 6)
    tracemalloc.start()
    nearest(queries, bank, k=5, tile_rows=1000, query_rows=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1500 * 20_000 * 4 / 10


@pytest.mark.parametrize("k", [0, -1, 10])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(ProbeError, match=f"it is {k} and the bank holds N = 9"):
        nearest(random_features(2, 0), random_features(9, 1), k=k)


def test_different_dimensions_are_refused():
    with pytest.raises(ProbeError, match=r"\(2, 8\) and \(9, 3\)"):
        nearest(random_features(2, 0), random_features(9, 1)[:, :3], k=1)


@pytest.mark.parametrize("side", ["queries", "bank"])
def test_features_that_are_not_finite_are_refused(side):
    both = {"queries": random_features(2, 0), "bank": random_features(9, 1)}
    both[side][1, 2] = np.nan
    with pytest.raises(ProbeError, match=f"{side}: features are NaN"):
        nearest(both["queries"], both["bank"], k=1)


@settings(deadline=None)
@given(hnp.arrays(np.float64, (5, 3), elements=st.floats(-1e3, 1e3, width=16)))
def test_unit_norm_rows_have_norm_one_or_zero(features):
    norms = np.linalg.norm(unit_norm(features), axis=1)
    np.testing.assert_allclose(norms, np.any(features != 0, axis=1), atol=1e-12)


def test_unit_norm_of_half_precision_does_not_overflow():
    normed = unit_norm(np.full((1, 4), 300, dtype=np.float16))
    np.testing.assert_allclose(normed, 0.5, rtol=1e-6)


def test_unit_norm_leaves_its_argument_alone():
    features = np.array([[3.0, 4.0]])
    unit_norm(features)
    assert features.tolist() == [[3.0, 4.0]]
