"""Comparing stores: what differs, on which samples, how far, and the verdict."""

import numpy as np
import pytest
from fake_store import make_store
from small_store import CLASSES, changed, make_small_store

import featbank
from featbank.bank import runlog
from featbank.errors import MissingPathError, StoreError, UnfinishedStoreError, UsageError
from featbank.samples import LabelSet
from featbank.stages.diff.run import diff_stores
from featbank.stages.diff.similarity import linear_cka, neighbour_overlap

N = 30
IDS = [f"chip-{row:02d}" for row in range(N)]
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
NOISE = np.random.default_rng(1).normal(size=(N, 4)).astype(np.float32)
ORDER = np.random.default_rng(2).permutation(N)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return make_small_store(tmp_path_factory.mktemp("d") / "a.zarr", IDS, X, refused=[3]).path


@pytest.fixture
def second(tmp_path):
    def make(features=X, ids=None, recipe=None, **changes):
        attributes = changes.pop("attributes", {}) | ({"recipe": recipe} if recipe else {})
        path = tmp_path / "b.zarr"
        ids = IDS if ids is None else ids
        return make_small_store(path, ids, features, attributes=attributes, **changes).path

    return make


def moved(rows):
    """Columns of the samples at ``rows``, as a store in that order has them."""
    rows = np.asarray(rows)
    codes = (rows % 3).astype(np.int32)
    return {
        "labels": {"kind": LabelSet(classes=CLASSES, codes=codes)},
        "splits": {"official": (rows % 4 % 3).astype(np.int8)},
    }


def test_equal_stores_are_equal_to_the_last_bit(first, second):
    found = diff_stores(first, second(refused=[3]))
    assert (found.features[0].is_equal, found.features[0].max_abs) == (True, 0.0)
    assert (found.recipe, found.labels, found.environment) == ((), (), ())
    assert found.verdict == (
        "Same samples, equal to the last bit: one recipe, run in one environment."
    )


def test_one_bit_is_a_difference(first, second):
    y = X.copy()
    y[9, 2] = np.nextafter(y[9, 2], 9, dtype=np.float32)
    found = diff_stores(first, second(y))
    assert (found.features[0].is_equal, found.features[0].max_abs > 0) == (False, True)


def test_rows_in_another_order_are_joined(first, second):
    found = diff_stores(first, second(X[ORDER], [IDS[row] for row in ORDER], **moved(ORDER)))
    assert found.features[0].is_equal
    # The version is of all rows in their order.
    assert [item.field for item in found.labels] == ["labels_sha256"]


def test_samples_are_counted_on_each_side(first, second):
    rows = [*range(4, 20), 3, 2]
    ids = [*(IDS[row] for row in rows), "x", "y", "z"]
    store = second(X[[*rows, 0, 0, 0]], ids, refused=[17, 18], **moved([*rows, 0, 0, 0]))
    found = diff_stores(first, store).samples
    assert (found.by, found.both, found.first_only, found.second_only) == ("sample_id", 18, 12, 3)
    assert (found.valid, found.refused_first, found.refused_second) == (16, 1, 1)


def test_only_samples_valid_in_both_are_compared(first, second):
    y = X.copy()
    y[3] += 100
    assert diff_stores(first, second(y)).features[0].max_abs == 0.0


def test_pairs_are_joined_where_ids_differ(tmp_path, second):
    pairs = np.array([f"p{row}" for row in range(N)], dtype=object)
    left = make_small_store(tmp_path / "l.zarr", IDS, X, pair_id=pairs).path
    other = [f"s2-{row}" for row in ORDER]
    found = diff_stores(left, second(X[ORDER], other, pair_id=pairs[ORDER], **moved(ORDER)))
    assert (found.samples.by, found.features[0].is_equal) == ("pair_id", True)


def test_distances_are_those_of_the_joined_rows(first, second):
    y = X + 0.01 * NOISE
    found = diff_stores(first, second(y[ORDER], [IDS[row] for row in ORDER], **moved(ORDER)))
    kept = np.arange(N) != 3
    item = found.features[0]
    assert item.max_abs == pytest.approx(np.abs(X - y)[kept].max(), rel=1e-6)
    assert item.cka == pytest.approx(linear_cka(X[kept], y[kept]), abs=1e-12)
    assert item.overlap == neighbour_overlap(X[kept], y[kept])[0]
    assert item.lowest_sample in IDS


def test_the_sample_that_is_farthest_is_named(first, second):
    y = X.copy()
    y[17] = -y[17]
    item = diff_stores(first, second(y)).features[0]
    assert (item.lowest_sample, item.lowest_cosine) == (IDS[17], pytest.approx(-1))


def test_other_widths_have_only_alignment_and_neighbours(first, second):
    item = diff_stores(first, second(np.concatenate([X, NOISE[:, :2]], axis=1))).features[0]
    assert (item.dims, item.max_abs, item.mean_cosine) == ((4, 6), None, None)
    assert (0 < item.cka < 1, 0 < item.overlap < 1, item.neighbours) == (True, True, 10)


def test_every_common_feature_and_layer_is_compared_and_counted(tmp_path):
    stores, seen = [make_store(tmp_path / f"{name}.zarr") for name in "ab"], []
    found = diff_stores(*stores, progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [(item.feature, item.layer) for item in found.features] == [
        ("cls", "3"),
        ("cls", "11"),
        ("mean", "3"),
        ("mean", "11"),
    ]


def test_without_a_common_feature_the_defaults_are_compared(first, second):
    item = diff_stores(first, second(attributes={"default_feature": "cls"})).features[0]
    assert (item.feature, item.max_abs, item.cka) == ("mean|cls", None, pytest.approx(1))


def test_the_recipe_is_told_field_by_field(first, second):
    found = diff_stores(first, second(recipe=changed("compute_dtype", "bfloat16")))
    assert [str(item) for item in found.recipe] == ["compute dtype (float32 against bfloat16)"]


def test_the_file_of_weights_is_told_where_only_its_name_differs(first, second):
    found = diff_stores(first, second(attributes={"weights": "copy.safetensors"}))
    assert [str(item) for item in found.recipe] == [
        "weights from (tiny.safetensors against copy.safetensors)"
    ]


def test_differing_labels_and_splits_are_counted(first, second):
    codes, splits = moved(np.arange(N))["labels"]["kind"].codes, np.arange(N) % 4 % 3
    codes[[5, 8]], splits[[2, 5, 6]] = 0, 0
    found = diff_stores(
        first,
        second(
            labels={"kind": LabelSet(classes=CLASSES, codes=codes)},
            splits={"official": splits.astype(np.int8)},
        ),
    )
    assert [str(item) for item in found.labels[:2]] == [
        "label set 'kind', 2 samples, such as ('town' against 'water')",
        "split scheme 'official', 3 samples, such as (test against train)",
    ]
    assert found.verdict.endswith("; labels or splits differ too.")


def test_label_sets_of_one_store_only_are_told(first, second):
    labels = {"cover": LabelSet(classes=CLASSES, codes=np.zeros(N, np.int32))}
    found = diff_stores(first, second(labels=labels)).labels
    assert [str(item) for item in found[:2]] == [
        "label set 'kind' (has it against -)",
        "label set 'cover' (- against has it)",
    ]


def test_the_environments_are_told_from_the_run_logs(tmp_path, second):
    left = make_small_store(tmp_path / "l.zarr", IDS, X).path
    right = second()
    for path, shards in {left: ["AVX2", "AVX2"], right: ["AVX2", "NEON"]}.items():
        for instructions in shards:
            runlog.append(path, {"device": "cpu", "instructions": instructions, "seconds": 1.0})
    found = diff_stores(left, right)
    assert [str(item) for item in found.environment] == [
        "instruction set (AVX2 against AVX2, NEON)"
    ]
    assert found.verdict.endswith("one recipe, run with another instruction set.")


def test_a_missing_run_log_is_told(tmp_path, second):
    left = make_small_store(tmp_path / "l.zarr", IDS, X).path
    runlog.append(left, {"device": "cpu"})
    assert diff_stores(left, second()).verdict.endswith(
        "one recipe, and no run log of one of them."
    )


def test_a_small_difference_is_told_with_its_only_cause(first, second):
    found = diff_stores(first, second(X + np.float32(1e-4), recipe=changed("compute_dtype", "x")))
    assert found.verdict == (
        "Same samples, features differ by at most 1.0e-04: "
        "the recipes differ only in compute dtype."
    )


def test_another_network_is_told_by_alignment_and_neighbours(first, second):
    found = diff_stores(first, second(NOISE, recipe=changed("model.weights_sha256", "b" * 64)))
    item = found.features[0]
    assert found.verdict == (
        f"Same samples, features of 4 dimensions with linear CKA {item.cka:.3f} and "
        f"{item.overlap:.0%} of the 10 nearest neighbours in common: "
        "the recipes differ only in weights."
    )


def test_what_follows_from_another_cause_is_not_named(first, second):
    recipe = changed("input.normalise.mean", [9.0, 9.0], changed("dataset.name", "other"))
    recipe = changed("dataset.fingerprint", "e" * 64, recipe)
    assert len((found := diff_stores(first, second(recipe=recipe))).recipe) == 3
    assert found.verdict.endswith("the recipes differ only in dataset.")


def test_a_limit_explains_the_images_it_takes(first, second):
    recipe = changed("dataset.limit", 9, changed("dataset.fingerprint", "e" * 64))
    found = diff_stores(first, second(recipe=recipe))
    assert found.verdict.endswith("the recipes differ only in limit of samples per split.")


def test_many_causes_are_counted(first, second):
    recipe = changed("store_dtype", "x", changed("compute_dtype", "x", changed("layers", [1])))
    found = diff_stores(first, second(recipe=changed("input.resize", "x", recipe)))
    assert found.verdict.endswith("differ in resize, layers, compute dtype and 1 more.")


def test_one_store_twice_is_refused(first, tmp_path):
    link = tmp_path / "link.zarr"
    link.symlink_to(first)
    for other in (first, link):
        with pytest.raises(UsageError, match="both names are of one store"):
            diff_stores(first, other)


def test_no_sample_in_both_is_one_line(first, second):
    with pytest.raises(StoreError, match="a.zarr and b.zarr: no sample is in both"):
        diff_stores(first, second(ids=[f"x{row}" for row in range(N)]))


def test_no_sample_valid_in_both_is_one_line(first, second):
    refused = [row for row in range(N) if row != 3]
    with pytest.raises(StoreError, match="none of the 30 samples in both is valid in both"):
        diff_stores(first, second(refused=refused))


def test_an_unfinished_and_a_missing_store_are_one_line(first, tmp_path):
    with pytest.raises(UnfinishedStoreError, match="2 of 3 shards"):
        diff_stores(first, make_store(tmp_path / "u.zarr", shards=(0, 2)))
    with pytest.raises(MissingPathError, match="there is no store here"):
        diff_stores(first, tmp_path / "no.zarr")


@pytest.mark.parametrize("turn", [1, 2])
def test_the_front_door_takes_stores_and_paths(first, second, turn):
    found = featbank.diff(featbank.open_store(first), str(second(X + 1)))
    assert found.features[0].max_abs == pytest.approx(1, abs=1e-6)
