"""What UMAP's layout is given: our exact graph, our first positions. Nothing is laid out here."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from featbank.projections import PROJECTIONS, _umap_layout
from featbank.projections._umap_layout import first_positions
from featbank.projections.projection import silent


def make_features(n=60, d=7):
    return np.random.default_rng(0).gamma(1, size=(n, d)).astype(np.float32)


@pytest.fixture
def given(monkeypatch):
    """What a stand-in for umap-learn is given."""
    seen = {}

    def embed(data, graph, **options):
        seen.update(options, graph=graph.toarray())
        return options["init"], {}

    umap = SimpleNamespace(
        find_ab_params=lambda spread, least: (spread, least), simplicial_set_embedding=embed
    )
    monkeypatch.setattr(_umap_layout, "_umap", lambda: umap)
    return seen


def fit(features, seed=0, **params):
    spec = PROJECTIONS["umap"]
    return spec.fit(features, spec.params(params), seed, silent)


def nearest_by_sorting(X, k):
    unit = X.astype(np.float64) / np.linalg.norm(X, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k]


def test_graph_ties_each_sample_to_its_nearest_by_cosine_and_not_to_itself(given):
    X = make_features()
    fit(X, neighbors=6)
    expected = np.zeros((60, 60), bool)
    np.put_along_axis(expected, nearest_by_sorting(X, 5), True, axis=1)
    np.testing.assert_array_equal(given["graph"] > 0, expected | expected.T)


def test_graph_is_of_all_dimensions(given):
    X = make_features()
    X[:, -1] = np.where(np.arange(60) % 2, 0.001, -0.001)
    X[:, :-1] = 1e-5
    fit(X, neighbors=5)
    assert not given["graph"][::2, 1::2].any()


def test_more_neighbours_than_samples_take_all(given):
    fit(make_features(n=4), neighbors=15)
    assert ((given["graph"] > 0) == ~np.eye(4, dtype=bool)).all()


def test_layout_descends_in_one_thread_from_a_seed(given):
    fit(make_features(), seed=5)
    assert given["parallel"] is False
    assert given["random_state"].randint(1000) == np.random.RandomState(5).randint(1000)


def test_epochs_are_umap_learns_own_unless_told(given):
    fit(make_features())
    assert given["n_epochs"] is None
    fit(make_features(), epochs=7)
    assert given["n_epochs"] == 7


def test_first_positions_reach_ten():
    assert np.abs(first_positions(make_features(), 0)).max() == pytest.approx(10, abs=0.01)


def test_first_positions_part_duplicates():
    assert len(np.unique(first_positions(np.ones((50, 4)), 0), axis=0)) == 50


def test_norms_of_features_do_not_move_first_positions():
    X = make_features()
    scaled = X * np.linspace(1, 9, len(X))[:, None]
    np.testing.assert_allclose(first_positions(X, 0), first_positions(scaled, 0), atol=1e-3)


def test_where_numba_may_write_nowhere_umap_is_imported_all_the_same():
    code = "from featbank.projections._umap_layout import _umap; _umap().simplicial_set_embedding"
    # As where neither the libraries' folder nor a home may be written.
    nowhere = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    subprocess.run([sys.executable, "-c", code], check=True, env=nowhere)
