from dataclasses import replace

import pytest

from featbank.store.schema import MAX_SHARD_BYTES, FeatureLayout, fitting_shard_rows


def test_pooled_features_take_the_largest_shard():
    assert fitting_shard_rows(FeatureLayout(names=("cls", "mean"), dim=768, layers=(11,))) == 4096


@pytest.mark.parametrize(("dim", "side"), [(192, 14), (768, 14), (1024, 16)])
def test_token_shards_stay_within_the_byte_limit(dim, side):
    layout = FeatureLayout(names=("cls", "tokens"), dim=dim, layers=(11,), token_grid=(side, side))
    rows = fitting_shard_rows(layout)
    assert (
        rows * layout.row_bytes("tokens") <= MAX_SHARD_BYTES < 2 * rows * layout.row_bytes("tokens")
    )


def test_shard_rows_are_a_power_of_two():
    layout = FeatureLayout(names=("tokens",), dim=768, layers=(2, 5, 11), token_grid=(14, 14))
    rows = fitting_shard_rows(layout)
    assert rows & (rows - 1) == 0


def test_raw_means_are_float32_whatever_the_others_are():
    layout = FeatureLayout(names=("mean", "mean_raw"), dim=4, layers=(0,), dtype="float16")
    assert str(layout.row_dtype("mean_raw")) == "float32"


def test_only_a_store_with_raw_means_is_of_the_version_that_has_them():
    plain = FeatureLayout(names=("cls", "mean"), dim=4, layers=(0,))
    assert (plain.version, replace(plain, names=("mean", "mean_raw")).version) == (2, 3)


def test_tokens_are_float16_whatever_the_pooled_features_are():
    layout = FeatureLayout(names=("cls", "tokens"), dim=4, layers=(0,), token_grid=(1, 1))
    assert (str(layout.row_dtype("cls")), str(layout.row_dtype("tokens"))) == ("float32", "float16")
