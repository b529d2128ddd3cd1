"""The exact nearest-neighbour search, against a full stable sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from featbank.errors import ProbeError, UnknownNameError
from featbank.knn import search as search_module
from featbank.knn.bank import prepare
from featbank.knn.search import Plan, nearest
from featbank.knn.space import unit_norm
from featbank.knn.tiles import ArrayTiles

METRICS = ["cosine", "euclidean"]


def sorted_neighbours(queries, bank, k):
    similarity = queries @ bank.T
    index = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(similarity, index, axis=1), index


def halves(rows):
    """Rows of four numbers ±0.5: unit norm, exact products, many duplicates."""
    return hnp.arrays(np.float64, (rows, 4), elements=st.sampled_from([-0.5, 0.5]))


def random_features(rows, seed, dtype=np.float32, dim=8):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(dtype)


@given(
    queries=halves(7),
    bank=halves(40),
    k=st.integers(1, 40),
    tile=st.integers(1, 45),
    margin=st.integers(0, 9),
)
def test_nearest_equals_a_full_stable_sort(queries, bank, k, tile, margin):
    plan = Plan(tile_rows=tile, query_rows=3, margin=margin)
    similarity, index = nearest(queries, bank, k=k, plan=plan)
    expected_similarity, expected_index = sorted_neighbours(queries, bank, k)
    np.testing.assert_array_equal(index, expected_index)
    np.testing.assert_array_equal(similarity, expected_similarity)


@given(bank=halves(40), tile_rows=st.integers(1, 45))
def test_a_query_against_increasing_similarities_is_exact(bank, tile_rows):
    increasing = bank[np.argsort(bank[:, 0] + bank[:, 1] + bank[:, 2], kind="stable")]
    query = np.array([[0.5, 0.5, 0.5, 0.5]])
    _, index = nearest(query, increasing, k=5, plan=Plan(tile_rows=tile_rows, margin=1))
    np.testing.assert_array_equal(index, sorted_neighbours(query, increasing, 5)[1])


def test_random_features_equal_a_full_sort():
    queries, bank = random_features(50, 0), random_features(900, 1)
    similarity, index = nearest(queries, bank, k=20)
    wide = [unit_norm(part.astype(float)) for part in (queries, bank)]
    expected = sorted_neighbours(*wide, 20)
    np.testing.assert_array_equal(index, expected[1])
    np.testing.assert_allclose(similarity, expected[0], atol=1e-7)


def test_euclidean_distances_equal_a_full_sort():
    queries, bank = random_features(50, 0) + 40, random_features(900, 1) + 40
    queries[3] *= 50
    found, index = nearest(queries, bank, k=20, metric="euclidean")
    distance = np.linalg.norm(queries[:, None].astype(float) - bank, axis=2)
    expected = np.argsort(distance, axis=1, kind="stable")[:, :20]
    np.testing.assert_array_equal(index, expected)
    np.testing.assert_allclose(found, np.take_along_axis(distance, expected, 1), rtol=1e-5)


def test_the_euclidean_distance_of_equal_rows_is_zero():
    bank = random_features(30, 0) * 1e-3 + 1
    found, _ = nearest(bank, bank, k=1, metric="euclidean")
    assert found.max() == 0


@pytest.fixture(scope="module")
def crowded():
    """Queries and a bank of 1,200 rows in which 60 are equal and 400 differ by one float32 step."""
    bank = random_features(1200, 3, dim=96)
    bank[200:230], bank[900:930] = bank[7], 2 * bank[7]
    bank[400:800] = np.nextafter(bank[9], np.float32(9)) * np.ones((400, 1), np.float32)
    bank[401:800:2, 5] = np.nextafter(bank[401, 5], np.float32(-9))
    queries = np.concatenate([bank[7:10], bank[400:403], random_features(40, 4, dim=96)])
    return queries, bank


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 25, 300])
def test_no_plan_changes_a_bit(crowded, metric, k):
    expected = nearest(*crowded, k=k, metric=metric)
    for plan in (
        Plan(tile_rows=7, read_rows=100, query_rows=5, pass_rows=17, threads=1),
        Plan(tile_rows=64, read_rows=999, margin=0, threads=2),
        Plan(tile_rows=333, query_rows=11, margin=500, threads=3),
    ):
        found = nearest(*crowded, k=k, metric=metric, plan=plan)
        np.testing.assert_array_equal(found[1], expected[1])
        np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize("metric", METRICS)
def test_a_permuted_bank_permutes_neighbours_and_no_value(crowded, metric):
    queries, bank = crowded
    order = np.random.default_rng(0).permutation(len(bank))
    values, index = nearest(queries, bank, k=100, metric=metric)
    moved, positions = nearest(queries, bank[order], k=100, metric=metric)
    np.testing.assert_array_equal(moved, values)
    inside = np.diff(values, axis=1, prepend=np.inf, append=np.inf) != 0
    alone = inside[:, :-1] & inside[:, 1:] & (values != values[:, -1:])
    np.testing.assert_array_equal(order[positions][alone], index[alone])


def test_a_part_of_the_queries_finds_the_same(crowded):
    queries, bank = crowded
    whole, part = nearest(queries, bank, k=50), nearest(queries[3:5], bank, k=50)
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_array_equal(a[3:5], b)


def test_what_float32_cannot_tell_apart_is_searched_in_float64(crowded, monkeypatch):
    counted = []
    exactly = search_module._search_exactly
    monkeypatch.setattr(
        search_module, "_search_exactly", lambda q, *a: counted.append(len(q)) or exactly(q, *a)
    )
    nearest(*crowded, k=25)
    # Queries 2 to 5 are nearest to the 400; queries 0 and 1 and the random ones are not.
    assert 4 <= sum(counted) < 20


def test_identical_bank_rows_are_found_in_order():
    bank = np.tile(random_features(1, 0), (30, 1))
    _, index = nearest(bank[:2], bank, k=4, plan=Plan(tile_rows=7, margin=2))
    assert index.tolist() == [[0, 1, 2, 3]] * 2


def test_each_row_is_its_own_nearest():
    bank = random_features(100, 2)
    _, index = nearest(bank, bank, k=1)
    np.testing.assert_array_equal(index[:, 0], np.arange(100))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("plan", [Plan(), Plan(tile_rows=9, read_rows=50, margin=0)])
def test_leaving_oneself_out_equals_a_search_without_that_row(crowded, metric, plan):
    bank = crowded[1][::4]
    _, index = nearest(bank, bank, k=12, metric=metric, exclude=np.arange(len(bank)), plan=plan)
    for row in (0, 50, 130, 299):
        others = np.delete(np.arange(len(bank)), row)
        _, expected = nearest(bank[[row]], bank[others], k=12, metric=metric)
        np.testing.assert_array_equal(index[row], others[expected[0]])


def test_queries_may_leave_none_out():
    bank = random_features(20, 0)
    _, index = nearest(bank[:2], bank, k=1, exclude=np.array([0, -1]))
    assert index[0] != 0
    assert index[1] == 1


@pytest.mark.parametrize("metric", METRICS)
def test_a_prepared_bank_and_tiles_find_what_the_array_does(crowded, metric):
    queries, bank = crowded
    expected = nearest(queries, bank, k=30, metric=metric)
    for found in (
        nearest(queries, prepare(bank, metric), k=30),
        nearest(queries, ArrayTiles(bank), k=30, metric=metric),
    ):
        np.testing.assert_array_equal(found, expected)


def test_a_memory_map_is_searched_in_place(tmp_path, crowded):
    queries, bank = crowded
    np.save(tmp_path / "bank.npy", bank)
    mapped = np.load(tmp_path / "bank.npy", mmap_mode="r")
    np.testing.assert_array_equal(nearest(queries, mapped, k=9), nearest(queries, bank, k=9))


@pytest.mark.gpu
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize("kept", [False, True])
def test_a_gpu_changes_no_bit(crowded, metric, excluded, kept, monkeypatch):
    from featbank.knn import device_search

    monkeypatch.setattr(device_search, "fits", lambda *_: kept)
    exclude = np.arange(len(crowded[0])) if excluded else None
    cut = {"pass_rows": 17, "read_rows": 100, "device_tile_rows": 333}
    found, expected = (
        nearest(*crowded, k=25, metric=metric, exclude=exclude, plan=Plan(device=device, **cut))
        for device in ("cuda", "cpu")
    )
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])


def test_no_queries_give_empty_results():
    similarity, index = nearest(np.zeros((0, 8)), random_features(9, 4), k=3)
    assert similarity.shape == index.shape == (0, 3)


def test_progress_counts_every_pair_once():
    told = []
    bank = random_features(50, 0)
    plan = Plan(read_rows=20, pass_rows=4)
    nearest(bank[:9], bank, k=2, plan=plan, progress=lambda *a: told.append(a))
    assert told[-1] == (450, 450)
    assert len(told) == 9


def test_memory_stays_below_the_whole_similarity_matrix():
    import tracemalloc

    queries, bank = random_features(1500, 5), random_features(20_000, 6)
    plan = Plan(tile_rows=256, read_rows=1000, query_rows=100, pass_rows=500)
    tracemalloc.start()
    nearest(queries, bank, k=5, plan=plan)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1500 * 20_000 * 4 / 10


@pytest.mark.parametrize("k", [0, -1, 10])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(ProbeError, match=f"it is {k} and the bank holds N = 9"):
        nearest(random_features(2, 0), random_features(9, 1), k=k)


def test_all_rows_cannot_be_found_where_one_is_left_out():
    bank = random_features(9, 0)
    with pytest.raises(ProbeError, match="N = 9, one of which is left out"):
        nearest(bank, bank, k=9, exclude=np.arange(9))


def test_one_row_is_left_out_a_query():
    bank = random_features(9, 0)
    with pytest.raises(ProbeError, match=r"exclude: its shape is \(3,\)"):
        nearest(bank, bank, k=2, exclude=np.arange(3))


def test_unknown_metrics_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'cosine'"):
        nearest(random_features(2, 0), random_features(9, 1), k=1, metric="cosin")


def test_different_dimensions_are_refused():
    with pytest.raises(ProbeError, match=r"\(2, 8\) and \(9, 3\)"):
        nearest(random_features(2, 0), random_features(9, 1)[:, :3], k=1)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("side", ["queries", "bank"])
def test_features_that_are_not_finite_are_refused(side, metric):
    both = {"queries": random_features(2, 0), "bank": random_features(9, 1)}
    both[side][1, 2] = np.nan
    with pytest.raises(ProbeError, match=f"{side}: features are NaN"):
        nearest(both["queries"], both["bank"], k=1, metric=metric)


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
