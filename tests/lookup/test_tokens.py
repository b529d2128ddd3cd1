import numpy as np
import pytest
import torch
from fake_store import make_store

from featbank.errors import StoreError
from featbank.lookup.tokens import (
    outlier_norm,
    principal_colours,
    read_tokens,
    sampled_token_rows,
    tokens_of,
    with_norm,
)
from featbank.store.reader import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(make_store(tmp_path_factory.mktemp("s") / "s.zarr"))


def test_tokens_of_rows_keep_their_order(store):
    whole = np.asarray(store._open("tokens")[...])
    found = read_tokens(store, np.array([140, 2, 70]), layer=3)
    np.testing.assert_array_equal(found, whole[[140, 2, 70], 0])


def test_the_last_layer_is_taken_when_none_is_named(store):
    found = tokens_of(store, [str(store.ids[9])], is_normed=False)
    np.testing.assert_array_equal(found[0], np.asarray(store._open("tokens")[9, 1]))


def test_the_norm_is_the_networks_layer_norm(store, monkeypatch):
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(2, 6)).astype(np.float32)
    monkeypatch.setattr(
        "featbank.lookup.tokens._whole", lambda p: weight if "weight" in p.name else bias
    )
    tokens = rng.normal(3, 5, (2, 2, 3, 6)).astype(np.float32)
    expected = torch.nn.functional.layer_norm(
        torch.from_numpy(tokens), (6,), torch.from_numpy(weight), torch.from_numpy(bias), 1e-6
    )
    np.testing.assert_allclose(with_norm(store, tokens), expected.numpy(), atol=1e-5)


def test_each_of_several_passes_is_normed_by_itself(store, monkeypatch):
    recipe = {"input": {"adapter": {"name": "per-band", "passes": [[0], [1]]}}}
    monkeypatch.setitem(store.attributes, "recipe", recipe)
    tokens = np.random.default_rng(0).normal(size=(1, 2, 3, 6)).astype(np.float32)
    tokens[..., 3:] *= 100
    normed = with_norm(store, tokens).reshape(1, 2, 3, 2, 3)
    np.testing.assert_allclose(normed.std(axis=-1), 1, atol=1e-3)


def test_tokens_are_normed_unless_asked_otherwise(store):
    normed = tokens_of(store, [str(store.ids[1])])
    np.testing.assert_allclose(normed.mean(axis=-1), 0, atol=1e-6)


def test_a_store_without_tokens_says_how_to_make_them(tmp_path):
    from small_store import make_small_store

    plain = make_small_store(tmp_path / "s.zarr", ["a", "b"], np.eye(2))
    with pytest.raises(StoreError, match="no patch tokens.* Embed with --tokens"):
        tokens_of(plain, ["a"])


@pytest.mark.parametrize("seed", range(4))
def test_components_are_those_of_scikit_learn_with_their_largest_loading_positive(seed):
    from sklearn.decomposition import PCA

    tokens = np.random.default_rng(seed).normal(size=(3, 4, 5, 8)) * np.arange(1, 9)
    colours, shares = principal_colours(tokens)
    pca = PCA(3, svd_solver="full").fit(tokens.reshape(-1, 8))
    np.testing.assert_allclose(shares, pca.explained_variance_ratio_, rtol=1e-6)
    largest = np.take_along_axis(
        pca.components_, np.abs(pca.components_).argmax(axis=1)[:, None], axis=1
    )
    scores = pca.transform(tokens.reshape(-1, 8)) * np.sign(largest[:, 0])
    for channel in range(3):
        drawn = colours.reshape(-1, 3)[:, channel].astype(float)
        inside = (drawn > 0) & (drawn < 255)
        assert np.corrcoef(drawn[inside], scores[inside, channel])[0, 1] > 0.9999


def test_signs_do_not_depend_on_the_order_of_the_chips():
    tokens = np.random.default_rng(1).normal(size=(6, 3, 3, 7)) * np.arange(1, 8)
    colours, _ = principal_colours(tokens)
    turned, _ = principal_colours(tokens[::-1])
    assert np.abs(turned[::-1].astype(int) - colours).max() <= 1


def test_one_pca_is_over_all_chips():
    """A chip's colours depend on what it is shown with: equal tokens are equal in all chips."""
    tokens = np.random.default_rng(1).normal(size=(2, 3, 3, 7))
    tokens[1, 0, 0] = tokens[0, 2, 1]
    colours, _ = principal_colours(tokens)
    assert (colours[1, 0, 0] == colours[0, 2, 1]).all()


@pytest.mark.parametrize("tokens", [np.ones((1, 2, 2, 5)), np.ones((1, 1, 1, 2))])
def test_tokens_that_do_not_differ_are_grey(tokens):
    assert (principal_colours(tokens)[0] == 128).all()


def test_tokens_far_beyond_the_rest_are_outliers():
    norms = np.concatenate([np.random.default_rng(0).normal(20, 2, 980), np.full(20, 400.0)])
    assert 25 < outlier_norm(norms) < 35


def test_rows_are_sampled_among_the_valid_ones_again_and_again(store):
    rows = sampled_token_rows(store, 20, seed=3)
    assert len(rows) == 20
    assert store.valid[rows].all()
    np.testing.assert_array_equal(rows, sampled_token_rows(store, 20, seed=3))
