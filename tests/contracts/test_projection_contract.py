"""Every projection of the catalog keeps its promises; the only tests that run umap-learn itself."""

import subprocess
import sys

import numpy as np
import pytest

from featbank.errors import UsageError
from featbank.projections import PROJECTIONS
from featbank.projections.projection import silent

N, GROUPS = 150, 3
QUICK = {"umap": {"epochs": 60}}


@pytest.fixture(params=list(PROJECTIONS))
def spec(request):
    return PROJECTIONS[request.param]


def make_features(n=N, d=16):
    """Groups of directions that any projection must keep apart."""
    rng = np.random.default_rng(0)
    features = 8 * np.eye(GROUPS, d)[np.arange(n) % GROUPS] + rng.normal(size=(n, d))
    return features.astype(np.float32)


def fit(spec, features, seed=0, **params):
    chosen = {**QUICK.get(spec.name, {}), **params}
    return spec.fit(features, spec.params(chosen), seed, silent)


def test_listing_the_catalog_imports_nothing_heavy():
    code = (
        "import sys; from featbank.projections import PROJECTIONS; list(PROJECTIONS);"
        "assert not {'umap', 'numba', 'scipy', 'torch', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_layout_repeats_to_the_last_bit(spec):
    first, second = (fit(spec, make_features(), seed=3).xy for _ in range(2))
    assert first.dtype == np.float32
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(("name", "is_random"), [("umap", True), ("pca", False)])
def test_another_seed_gives_another_layout_where_it_is_random(name, is_random):
    first, second = (fit(PROJECTIONS[name], make_features(), seed=seed).xy for seed in (0, 1))
    assert (first.tobytes() != second.tobytes()) == is_random


def test_groups_stay_together(spec):
    xy, group = fit(spec, make_features()).xy, np.arange(N) % GROUPS
    gaps = np.linalg.norm(xy[:, None] - xy[None], axis=2) + np.diag(np.full(N, np.inf))
    assert (group[gaps.argmin(axis=1)] == group).mean() > 0.95


def test_other_samples_are_placed_among_their_like(spec):
    features = make_features()
    layout = fit(spec, features[:90])
    placed, group = layout.place(features[90:]), np.arange(90, N) % GROUPS
    gaps = np.linalg.norm(placed[:, None] - layout.xy[None], axis=2)
    assert (gaps.argmin(axis=1) % GROUPS == group).mean() > 0.95


def test_a_sample_is_placed_alone_as_among_others(spec):
    features = make_features()
    layout = fit(spec, features[:90])
    alone = np.concatenate([layout.place(row[None]) for row in features[90:100]])
    assert layout.place(features[90:])[:10].tobytes() == alone.tobytes()


def test_placing_leaves_the_layout_as_it_is(spec):
    layout = fit(spec, make_features()[:90])
    before = layout.xy.copy()
    layout.place(make_features()[90:])
    np.testing.assert_array_equal(layout.xy, before)


@pytest.mark.parametrize(
    "features",
    [
        np.ones((40, 5)),
        np.zeros((20, 5)),
        np.repeat(make_features(n=4), 30, axis=0),
        np.arange(30.0)[:, None] - 4,
        make_features(n=2),
        make_features(n=3),
    ],
    ids=["all equal", "all zero", "many duplicates", "one dimension", "two", "three"],
)
def test_degenerate_features_have_a_layout(spec, features):
    layout = fit(spec, features.astype(np.float32))
    assert layout.xy.shape == (len(features), 2)
    assert np.isfinite(layout.xy).all()
    assert np.isfinite(layout.place(features[:2].astype(np.float32))).all()


def test_an_unknown_parameter_is_refused(spec):
    with pytest.raises(UsageError) as caught:
        spec.params({"no_such": 30})
    assert caught.value.subject == "--no-such"


@pytest.mark.parametrize(
    "params",
    [
        {"neighbors": 1},
        {"neighbors": 10**6},
        {"min_dist": -0.1},
        {"min_dist": float("nan")},
        {"epochs": 0},
    ],
    ids=str,
)
def test_umap_refuses_what_has_no_meaning(params):
    with pytest.raises(UsageError) as caught:
        PROJECTIONS["umap"].params(params)
    assert caught.value.subject.startswith(f"--{next(iter(params)).replace('_', '-')}")


def test_progress_is_told(spec):
    told = []
    spec.fit(
        make_features(), spec.params(QUICK.get(spec.name, {})), 0, lambda *step: told.append(step)
    )
    done = {step: (now, total) for step, now, total in told}
    assert all(done)
    assert all(now == total for now, total in done.values())


@pytest.mark.slow
def test_graph_is_umap_learns_own():
    from featbank.knn.search import nearest
    from featbank.projections._memberships import fuzzy_graph
    from featbank.projections._umap_layout import _umap

    X = np.concatenate([make_features(), make_features()[:20]])
    n = len(X)
    similarity, index = nearest(X, X, k=14, exclude=np.arange(n))
    distances = np.maximum(1 - similarity, 0)
    with_self = np.column_stack([np.arange(n), index])
    from_self = np.column_stack([np.zeros(n), distances])
    reference, _, _ = _umap().fuzzy_simplicial_set(
        X, 15, None, "cosine", knn_indices=with_self, knn_dists=from_self
    )
    ours = fuzzy_graph(index, distances).toarray()
    np.testing.assert_allclose(ours, reference.toarray(), atol=2e-4)


@pytest.mark.slow
def test_layout_repeats_in_another_process():
    code = (
        "import hashlib, test_projection_contract as t; from featbank.projections import "
        "PROJECTIONS; xy = t.fit(PROJECTIONS['umap'], t.make_features()).xy;"
        "print(hashlib.sha256(xy.tobytes()).hexdigest())"
    )
    folder = __file__.rpartition("/")[0]
    found = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=folder, check=True, text=True, stdout=subprocess.PIPE
        ).stdout
        for _ in range(2)
    }
    assert len(found) == 1
