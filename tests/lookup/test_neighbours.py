import numpy as np
import pytest
from small_store import make_small_store

from featbank.errors import StoreError, UnknownNameError
from featbank.lookup.neighbours import neighbours_of

N = 40
IDS = [f"chip-{i:03d}" for i in range(N)]


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory, features):
    return make_small_store(tmp_path_factory.mktemp("s") / "s.zarr", IDS, features, refused=(3, 11))


def slow(features, query, k):
    """Cosine to every other row that was not refused, sorted."""
    found = []
    for row in range(N):
        if row not in (query, 3, 11):
            a, b = features[query].astype(float), features[row].astype(float)
            found.append((a @ b / np.linalg.norm(a) / np.linalg.norm(b), IDS[row]))
    return sorted(found, reverse=True)[:k]


def test_neighbours_are_those_of_a_plain_loop(store, features):
    found = neighbours_of(store, [IDS[20], IDS[7]], 6)
    for place, query in enumerate((20, 7)):
        expected = slow(features, query, 6)
        assert found.ids[place].tolist() == [name for _, name in expected]
        np.testing.assert_allclose(
            found.similarity[place], [value for value, _ in expected], atol=1e-6
        )


def test_a_query_is_not_its_own_neighbour(store):
    found = neighbours_of(store, IDS[:3], N)
    assert found.ids.shape == (3, N - 3)
    assert all(query not in near for query, near in zip(found.queries, found.ids, strict=True))


def test_a_refused_query_says_why(store):
    with pytest.raises(StoreError, match="chip-011': it was refused .torn."):
        neighbours_of(store, [IDS[11]], 2)


def test_an_unknown_query_is_answered_with_the_nearest_id(store):
    with pytest.raises(UnknownNameError, match="Did you mean 'chip-0"):
        neighbours_of(store, ["chip-0000"], 2)


def test_one_sample_has_no_neighbour(tmp_path):
    one = make_small_store(tmp_path / "s.zarr", IDS[:2], np.eye(2), refused=(1,))
    with pytest.raises(StoreError, match="1 samples are embedded; expected 2"):
        neighbours_of(one, IDS[:1], 3)
