"""Mean patch tokens before the final norm: stored where they are asked for, and nowhere else."""

import numpy as np
import pytest
from fake_chips import write_chips

import featbank
from featbank.errors import UsageError
from featbank.sources.embed_options import Followed
from featbank.sources.following import following

VIT = {
    "weights": "random",
    "normalise": "half",
    "image_size": 32,
    "dtype": "float32",
    "layers": (0, 11),
    "workers": 0,
    "shard_rows": 8,
}


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=4)


@pytest.fixture(scope="module")
def store(imagery, tmp_path_factory):
    bank = tmp_path_factory.mktemp("bank")
    return featbank.embed("vit-tiny", imagery, bank=bank, features="mean_raw", **VIT)


def test_they_are_stored_where_asked_for_block_by_block(store):
    assert store.feature_names == ("cls", "mean", "mean_raw")
    assert store.feature_array("mean_raw").shape == (12, 2, 192)
    assert np.isfinite(store.features("mean_raw", layer=0)).all()


def test_they_are_not_the_normed_means(store):
    raw, mean = store.features("mean_raw"), store.features("mean")
    assert np.abs(raw - mean).max() > 0.1


def test_they_are_not_stored_unasked(imagery, store, tmp_path):
    plain = featbank.embed("vit-tiny", imagery, bank=tmp_path, **VIT)
    assert plain.feature_names == ("cls", "mean")
    assert (plain.attributes["schema_version"], store.attributes["schema_version"]) == (2, 3)
    np.testing.assert_array_equal(plain.features("mean"), store.features("mean"))


@pytest.mark.parametrize("store_dtype", ["float32", "float16"])
def test_they_are_float32_whatever_the_store_is(imagery, store, tmp_path, store_dtype):
    more = {"bank": tmp_path, "features": ("mean_raw",), "store_dtype": store_dtype}
    other = featbank.embed("vit-tiny", imagery, **more, **VIT)
    assert other.feature_array("mean_raw").dtype == np.float32
    np.testing.assert_array_equal(other.features("mean_raw"), store.features("mean_raw"))


def test_they_are_the_same_in_batches_of_any_size(imagery, store, tmp_path):
    more = {"bank": tmp_path, "features": "mean_raw", "batch_size": 3}
    other = featbank.embed("vit-tiny", imagery, **more, **VIT)
    assert other.attributes["recipe_id"] == store.attributes["recipe_id"]
    for name in ("mean", "mean_raw"):
        values = (each.features(name, layer=0) for each in (other, store))
        np.testing.assert_allclose(*values, rtol=1e-4, atol=1e-5)


def test_the_stores_command_asks_for_them(store):
    assert "--features mean_raw" in store.attributes["command"]


def test_new_images_are_embedded_with_them_where_the_store_has_them(imagery, store):
    followed = Followed(recipe=store.attributes["recipe"])
    assert following(followed, dataset=str(imagery)).features == ("mean_raw",)


def test_a_model_without_blocks_has_none(imagery, tmp_path):
    with pytest.raises(UsageError, match="--features mean_raw: model 'imagestats' has no mean_raw"):
        featbank.embed("imagestats", imagery, bank=tmp_path, features="mean_raw", workers=0)


def test_a_feature_that_is_not_stored_on_request_is_refused(imagery, tmp_path):
    with pytest.raises(UsageError, match="--features mean: no feature of this name"):
        featbank.embed("vit-tiny", imagery, bank=tmp_path, features="mean", **VIT)
