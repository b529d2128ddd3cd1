"""Mapping a store, from its rows to a file of the bank."""

import json

import numpy as np
import pytest
from labelled_store import make_labelled_store
from small_store import make_small_store

from featbank.bank.bank import Bank
from featbank.bank.maps import maps_of
from featbank.errors import StoreError, UnknownNameError, UsageError
from featbank.sources.selection import hash_order
from featbank.stages.map import run as module
from featbank.stages.map.mapped_rows import fitted_among
from featbank.stages.map.run import MapOptions, map_features

N, D = 300, 6


def make_features(n=N):
    return np.random.default_rng(0).gamma(1, size=(n, D)).astype(np.float32)


def make_store(root, features=None, **options):
    features = make_features() if features is None else features
    path = root / "bank" / "stores" / "made" / "tiny-1.zarr"
    return make_small_store(path, [f"c{i:03d}" for i in range(len(features))], features, **options)


def ask(store, **options):
    bank = store.path.parents[2]
    return map_features(
        MapOptions(**{"projection": "pca", "store": store.path, "bank": bank, **options})
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("map"))


def test_a_map_shows_every_sample_in_the_order_of_the_store(store):
    found = ask(store).map
    assert found.ids.tolist() == store.ids.tolist()
    assert found.is_fitted.all()
    centred = make_features().astype(np.float64) - make_features().mean(axis=0)
    # The columns of the map are uncorrelated and hold the greatest variance of the features.
    values = np.linalg.eigvalsh(centred.T @ centred)
    np.testing.assert_allclose(found.xy.T @ found.xy, np.diag(values[:-3:-1]), atol=0.05)


def test_a_map_that_stands_is_read(store, monkeypatch):
    first = ask(store, seed=1)
    monkeypatch.setattr(module, "_make", None)
    again = ask(store, seed=1)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.map.xy.tobytes() == first.map.xy.tobytes()


def test_a_map_is_made_anew_where_asked(store):
    ask(store, seed=2)
    assert ask(store, seed=2, again=True).is_new


def test_every_choice_has_a_map_of_its_own(store):
    choices = [{}, {"seed": 9}, {"fit_samples": 50}, {"split": "train"}, {"split": "test"}]
    assert len({ask(store, **choice).map.id for choice in choices}) == len(choices)


def test_more_samples_to_fit_on_than_there_are_change_nothing(store):
    assert ask(store, fit_samples=N).map.id == ask(store, fit_samples=10 * N).map.id


def test_the_recipe_tells_what_was_mapped_and_the_environment_what_with(store):
    found = ask(store).map
    wanted = {"store": store.attributes["recipe_id"], "feature": "mean", "layer": 0}
    assert wanted.items() <= dict(found.recipe).items()
    assert (found.recipe["projection"], found.recipe["params"]) == ("pca", {})
    assert {"numpy", "umap-learn"} <= set(found.environment)


def test_the_bank_finds_the_map(store):
    ask(store)
    bank = Bank(store.path.parents[2])
    assert ask(store).map.id in {found.id for found in maps_of(bank, store.attributes["recipe_id"])}


def test_samples_without_features_are_left_out(tmp_path):
    features = make_features()
    features[7] = np.nan
    features[11, 2] = np.inf
    store = make_store(tmp_path, features, refused=(4, 299))
    report = ask(store)
    left = set(store.ids) - set(report.map.ids)
    assert left == {"c004", "c007", "c011", "c299"}
    assert np.isfinite(report.map.xy).all()
    assert report.map.quality["samples"] == N - 4


def test_a_split_is_mapped_alone(store):
    found = ask(store, split="val").map
    assert found.ids.tolist() == store.ids[store.split() == "val"].tolist()


def test_samples_that_are_placed_lie_where_their_features_do(store):
    found = ask(store, fit_samples=200).map
    assert found.is_fitted.sum() == 200
    X = make_features().astype(np.float64)
    mean = X[found.is_fitted].mean(axis=0)
    centred = X[found.is_fitted] - mean
    axes = np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]
    placed = (X[~found.is_fitted] - mean) @ axes
    sign = np.sign((placed * found.xy[~found.is_fitted]).sum(axis=0))
    np.testing.assert_allclose(found.xy[~found.is_fitted], placed * sign, atol=1e-4)


def test_samples_fitted_are_nested_and_mixed(store):
    rows = np.arange(N)
    few, many = (fitted_among(store, rows, count) for count in (40, 120))
    assert (few.sum(), many.sum()) == (40, 120)
    assert not (few & ~many).any()
    assert set(np.flatnonzero(few)) == set(hash_order(store.ids)[:40])


def test_tiles_do_not_move_what_is_placed(store, monkeypatch):
    first = ask(store, fit_samples=100, again=True).map.xy
    monkeypatch.setattr(module, "READ_ROWS", 7)
    assert ask(store, fit_samples=100, again=True).map.xy.tobytes() == first.tobytes()


def test_layers_are_told_apart(tmp_path):
    store = make_store(
        tmp_path, np.stack([make_features(), make_features()[::-1]], 1), layers=(3, 9)
    )
    last, first = ask(store), ask(store, layer=3)
    assert (last.map.recipe["layer"], first.map.recipe["layer"]) == (9, 3)
    assert first.map.xy.tobytes() != last.map.xy.tobytes()
    np.testing.assert_allclose(first.map.xy, last.map.xy[::-1], atol=1e-5)


def test_two_samples_have_a_map(tmp_path):
    report = ask(make_store(tmp_path, make_features(2)))
    assert report.map.xy.shape == (2, 2)
    assert report.belief.startswith("Too few samples")


def test_one_sample_has_none(tmp_path):
    with pytest.raises(StoreError, match="1 of the samples asked for have features; expected two"):
        ask(make_store(tmp_path, make_features(1)))


def test_an_empty_split_has_none(tmp_path):
    path = make_labelled_store(tmp_path / "bank" / "stores" / "made" / "none-1.zarr")
    with pytest.raises(StoreError, match="0 of the samples"):
        map_features(MapOptions(projection="pca", store=path, split="unlabelled", bank=tmp_path))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"projection": "tsne"}, UnknownNameError, "no projection has this name"),
        ({"features": "cls"}, UnknownNameError, "holds no such feature"),
        ({"layer": 5}, UnknownNameError, "holds no such layer"),
        ({"labels": "kinds"}, UnknownNameError, "Did you mean 'kind'"),
        ({"split": "training"}, UnknownNameError, "Did you mean 'train'"),
        ({"split": "train", "split_scheme": "random"}, UnknownNameError, "no such split scheme"),
        ({"split_scheme": "official"}, UsageError, "no split is named"),
        ({"neighbors": 5}, UsageError, "projection 'pca' has no such parameter"),
        ({"fit_samples": 1}, UsageError, "expected 2 or more"),
        ({"seed": -1}, UsageError, "expected 0 to"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_bad_choices_are_one_line(store, options, error, message):
    with pytest.raises(error, match=message) as caught:
        ask(store, **options)
    assert "\n" not in str(caught.value)


def test_a_store_without_labels_has_a_map_and_no_purity(tmp_path):
    assert ask(make_store(tmp_path, labels={})).purity is None


def test_purity_is_of_the_label_set_asked_for(tmp_path):
    path = make_labelled_store(tmp_path / "bank" / "stores" / "made" / "none-1.zarr")
    options = {"projection": "pca", "store": path, "bank": tmp_path / "bank"}
    assert map_features(MapOptions(**options)).purity.samples == 399
    assert map_features(MapOptions(**options, labels="dominant")).purity.label_set == "dominant"


def test_progress_is_told_to_its_end(store):
    told = {}
    options = MapOptions(
        projection="pca",
        store=store.path,
        bank=store.path.parents[2],
        fit_samples=50,
        seed=3,
        again=True,
    )
    map_features(options, progress=lambda step, done, total: told.update({step: (done, total)}))
    assert told.pop("placed") == (250, 250)
    assert told == dict.fromkeys(("components", "quality", "purity"), (1, 1))


@pytest.mark.parametrize("turn", [1, 2])
def test_the_front_door_gives_the_map(store, turn):
    import featbank

    found = featbank.map_store(store, projection="pca", bank=store.path.parents[2], seed=4)
    assert list(found.to_pandas()) == ["sample_id", "x", "y", "is_fitted"]
    assert len(found) == N
    report = ask(store, seed=4)
    assert found.quality["purity"] == {"label_set": "kind", **report.purity.means}
    assert "purity" not in report.map.quality
