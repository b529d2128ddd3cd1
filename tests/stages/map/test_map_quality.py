"""How far a map is to be believed, against scikit-learn and plain loops."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from small_store import make_small_store

from featbank.bank.maps import FeatureMap
from featbank.knn.tiles import ArrayTiles
from featbank.samples import LabelSet
from featbank.stages.map import faithfulness as module
from featbank.stages.map.faithfulness import belief, faithfulness
from featbank.stages.map.purity import purity
from featbank.stages.map.ranks import ranks


def make_data(n=120, d=9):
    rng = np.random.default_rng(0)
    X = rng.gamma(1, size=(n, d)).astype(np.float32)
    return X, (X[:, :2] + 0.5 * rng.normal(size=(n, 2))).astype(np.float32)


def measure(X, xy):
    return faithfulness(ArrayTiles(X), xy, seed=0)


def test_trustworthiness_is_scikit_learns():
    X, xy = make_data()
    found = measure(X, xy)
    assert (found.k, found.queries, found.samples) == (15, 120, 120)
    expected = trustworthiness(X, xy, n_neighbors=15, metric="cosine")
    assert found.trustworthiness == pytest.approx(expected, abs=1e-9)


def test_continuity_is_the_trustworthiness_of_features_as_a_map_of_the_map():
    X, xy = make_data()
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    expected = trustworthiness(xy, unit.astype(np.float64), n_neighbors=15)
    assert measure(X, xy).continuity == pytest.approx(expected, abs=1e-6)


def test_overlap_is_counted_by_hand():
    X, xy = make_data()
    unit = X.astype(np.float64) / np.linalg.norm(X, axis=1, keepdims=True)
    flat = np.linalg.norm(xy[:, None].astype(np.float64) - xy[None], axis=2)
    shares = []
    for i in range(len(X)):
        others = np.delete(np.arange(len(X)), i)
        near = others[np.argsort(-(unit[others] @ unit[i]))[:15]]
        on_map = others[np.argsort(flat[i, others])[:15]]
        shares.append(len(set(near) & set(on_map)) / 15)
    assert measure(X, xy).overlap == pytest.approx(np.mean(shares), abs=1e-9)


def test_a_map_of_its_own_features_is_perfect():
    angles = np.sort(np.random.default_rng(0).uniform(0, np.pi / 2, 80))
    X = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    found = measure(X, X)
    assert found.trustworthiness == pytest.approx(1, abs=1e-3)
    assert found.overlap > 0.99


def test_a_map_at_random_keeps_what_chance_keeps():
    rng = np.random.default_rng(0)
    X, xy = rng.normal(size=(900, 20)), rng.normal(size=(900, 2))
    found = measure(X.astype(np.float32), xy.astype(np.float32))
    assert found.trustworthiness == pytest.approx(0.5, abs=0.03)
    assert found.overlap == pytest.approx(found.overlap_by_chance, abs=0.01)


def test_a_sample_of_queries_estimates_all(monkeypatch):
    X, xy = make_data(n=600)
    everything = measure(X, xy)
    monkeypatch.setattr(module, "QUERIES", 200)
    some = measure(X, xy)
    assert some.queries == 200
    assert some.trustworthiness == pytest.approx(everything.trustworthiness, abs=0.01)
    assert some.overlap == pytest.approx(everything.overlap, abs=0.03)


def test_ranks_count_all_samples_and_break_ties_by_row():
    X = np.random.default_rng(0).integers(0, 3, size=(3000, 2)).astype(np.float32)
    rows, others = np.array([5, 2999]), np.array([[0, 7, 2000], [3, 4, 1]])
    distances = ((X[rows][:, None] - X[None]) ** 2).sum(axis=2)
    found = ranks(ArrayTiles(X), rows, others, metric="euclidean")
    for i, row in enumerate(rows):
        order = [j for j in np.lexsort([np.arange(3000), distances[i]]) if j != row]
        assert found[i].tolist() == [order.index(j) + 1 for j in others[i]]


@pytest.mark.parametrize("n", [2, 3])
def test_few_samples_have_what_can_be_told(n):
    X, xy = make_data(n=n)
    found = measure(X, xy)
    assert (found.trustworthiness is None) == (n == 2)
    assert "NaN" not in belief(vars(found))


def test_belief_warns_of_a_map_that_is_wrong():
    told = {"k": 15, "dim": 8, "overlap": 0.1, "overlap_by_chance": 0.01}
    assert "do not read groups" in belief({**told, "trustworthiness": 0.6})
    assert "are mostly alike" in belief({**told, "trustworthiness": 0.95})


def make_map(store, xy):
    return FeatureMap(
        id="m" * 16,
        ids=store.ids[store.valid],
        xy=xy[store.valid],
        is_fitted=np.ones(store.valid.sum(), bool),
        recipe={"feature": "mean", "layer": 0},
    )


def purity_by_loops(near, bears):
    """Mean over the chips of a class of the share of neighbours that bear it."""
    return [
        np.mean([bears[near[i], c].mean() for i in np.flatnonzero(bears[:, c])])
        for c in range(bears.shape[1])
    ]


def nearest_by_sorting(gaps, k=15):
    np.fill_diagonal(gaps, np.inf)
    return np.argsort(gaps, axis=1, kind="stable")[:, :k]


def test_purity_is_the_share_of_neighbours_that_bear_the_class(tmp_path):
    X, xy = make_data()
    rng = np.random.default_rng(1)
    bears = rng.uniform(size=(120, 4)) < (0.6, 0.3, 0.1, 0.0)
    bears[:, 0] |= X[:, 0] > 1
    labels = LabelSet(classes=("a", "b", "c", "d"), codes=bears.astype(np.int8))
    path = tmp_path / "bank" / "stores" / "made" / "tiny-1.zarr"
    store = make_small_store(path, [f"c{i}" for i in range(120)], X, labels={"kinds": labels})
    found = purity(make_map(store, xy), store)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    in_features = purity_by_loops(nearest_by_sorting(-(unit @ unit.T)), bears[:, :3])
    flat = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    on_map = purity_by_loops(nearest_by_sorting(flat), bears[:, :3])
    np.testing.assert_allclose(found.in_features[:3], in_features, atol=1e-9)
    np.testing.assert_allclose(found.on_map[:3], on_map, atol=1e-9)
    chips = bears.sum(axis=0)
    np.testing.assert_allclose(found.chance[:3], (chips[:3] - 1) / 119)
    assert found.chips == tuple(chips)
    assert (found.in_features[3], found.on_map[3], found.chance[3]) == (None, None, None)
    assert found.means["on_map"] == pytest.approx(np.mean(on_map))


@pytest.fixture
def one_class(tmp_path):
    """A store of one class a sample, of which some are refused and some unlabelled; and a map."""
    X, xy = make_data()
    codes = (np.arange(120) % 3).astype(np.int32)
    codes[:10] = -1
    X += 4 * np.eye(3, 9)[codes]
    path = tmp_path / "bank" / "stores" / "made" / "tiny-1.zarr"
    labels = LabelSet(
        classes=("a", "b", "c", "one"), codes=np.where(np.arange(120) == 119, 3, codes)
    )
    store = make_small_store(
        path, [f"c{i}" for i in range(120)], X, labels={"kind": labels}, refused=(50, 60)
    )
    return store, make_map(store, xy)


def test_unlabelled_samples_are_no_neighbours(one_class):
    store, found = one_class
    told = purity(found, store)
    assert told.samples == 108
    assert sum(told.chips) == 108


def test_classes_that_features_tell_apart_are_pure_in_the_features_alone(one_class):
    told = purity(one_class[1], one_class[0])
    assert min(told.in_features[:3]) > 0.9
    assert max(told.on_map[:3]) < 0.6


def test_a_class_of_one_chip_has_no_purity(one_class):
    told = purity(one_class[1], one_class[0])
    assert (told.chips[3], told.on_map[3]) == (1, None)


def test_purity_is_read_again_until_labels_change(one_class, monkeypatch):
    store, found = one_class
    first = purity(found, store)
    monkeypatch.setattr("featbank.stages.map.purity._measure", None)
    assert purity(found, store) == first
    changed = store.labels("kind").copy()
    changed[30] = 1 - changed[30]
    monkeypatch.setattr(store, "labels", lambda name=None: changed)
    with pytest.raises(TypeError):
        purity(found, store)
