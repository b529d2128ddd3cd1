"""Training on one store and testing on another: rows, classes, recipes."""

import re

import numpy as np
import pytest
from small_store import CLASSES, RECIPE, changed, make_small_store

from featbank.errors import StoreError, UnknownNameError, UsageError
from featbank.features.joined_store import JoinedStore
from featbank.features.transfer_store import TransferStore
from featbank.probes.protocols import PROTOCOLS
from featbank.recipes.same_embedding import TRANSFER, match_recipes
from featbank.samples import LabelSet
from featbank.stages.probe.options import ProbeOptions
from featbank.stages.probe.probe_run import ProbeRun

N, D = 36, 4
NORTH = {"dataset": "north"}
SOUTH = {"dataset": "south", "recipe": changed("dataset.name", "south")}


def features(seed):
    return np.random.default_rng(seed).normal(size=(N, D)).astype(np.float32)


def ids(prefix):
    return [f"{prefix}{row:02d}" for row in range(N)]


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "a.zarr"
    return make_small_store(path, ids("n"), features(0), attributes=NORTH)


@pytest.fixture
def make(tmp_path):
    def make_test_store(names=None, *, seed=1, attributes=None, **changes):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"
        told = SOUTH | (attributes or {})
        return make_small_store(path, names or ids("s"), features(seed), attributes=told, **changes)

    return make_test_store


@pytest.fixture(scope="module")
def test_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "b.zarr"
    return make_small_store(path, ids("s"), features(1), attributes=SOUTH, refused=[2, 5, 6])


@pytest.fixture(scope="module")
def store(train, test_store):
    return TransferStore(train, test_store)


def kinds(classes, codes, name="kind"):
    return {name: LabelSet(classes=classes, codes=np.asarray(codes))}


def test_train_and_validation_are_of_one_store_and_test_of_the_other(store, train, test_store):
    expected = {
        name: part.ids[part.split() == name].tolist()
        for name, part in {"train": train, "val": train, "test": test_store}.items()
    }
    assert {name: store.ids[store.split() == name].tolist() for name in expected} == expected


def test_features_are_those_of_each_store(store, train, test_store):
    X, y = store.xy("test")
    rows = test_store.usable() & (test_store.split() == "test")
    np.testing.assert_array_equal(X, test_store.features()[rows])
    np.testing.assert_array_equal(store.xy("train")[0], train.xy("train")[0])
    np.testing.assert_array_equal(y, test_store.labels()[rows])


def test_refused_test_samples_are_counted_in_test(store, test_store):
    expected = (test_store.split() == "test") & ~test_store.valid
    assert ((store.split() == "test") & ~store.valid).sum() == expected.sum() == 2


def test_like_stores_have_nothing_to_note(store):
    assert store.notes == ()


def test_a_probe_takes_it_and_scores_the_test_store(store, test_store):
    run = ProbeRun(PROTOCOLS["featbank-knn"], store, ProbeOptions(params={"k": 3}))
    data = run.read()
    _, scores = next(run.final_fits(data, run.choose(data).params))
    assert scores.shape == (len(test_store.xy("test")[0]), 3)
    assert set(store.ids[data.rows["test"]]) <= set(test_store.ids)


def test_classes_match_by_name_whatever_their_order(train, make):
    turned = make(labels=kinds(("town", "water", "wood"), (np.arange(N) + 1) % 3))
    found = TransferStore(train, turned)
    assert found.classes() == CLASSES
    np.testing.assert_array_equal(found.labels()[N:], np.arange(N) % 3)


def test_samples_of_a_class_that_train_lacks_are_left_out_and_counted(train, make):
    other = make(labels=kinds(("water", "wood", "ice"), np.arange(N) % 3))
    found, rows = TransferStore(train, other), np.arange(N) % 4 % 3 == 2
    lost = rows & (np.arange(N) % 3 == 2)
    assert len(found.xy("test")[0]) == (rows & ~lost).sum()
    assert found.notes == (
        "classes that only north has, never true in test: town",
        f"classes that only south has, {lost.sum()} test samples left out: ice",
    )


def test_unknown_labels_stay_unknown(train, make):
    codes = np.arange(N) % 3
    codes[:10] = -1
    found = TransferStore(train, make(labels=kinds(("town", "wood", "water"), codes)))
    assert (found.labels()[N:][:10] == -1).all()


def test_several_labels_keep_the_columns_of_both(tmp_path, make):
    rng = np.random.default_rng(0)
    ours, theirs = (rng.integers(0, 2, (N, 3)).astype(np.int8) for _ in range(2))
    theirs[3] = -1
    left = make_small_store(
        tmp_path / "l.zarr", ids("n"), features(0), attributes=NORTH, labels=kinds(CLASSES, ours)
    )
    found = TransferStore(left, make(labels=kinds(("town", "ice", "water"), theirs)))
    assert found.classes() == ("water", "town")
    np.testing.assert_array_equal(found.labels()[:N], ours[:, [0, 2]])
    np.testing.assert_array_equal(found.labels()[N:], theirs[:, [2, 0]])
    assert found.notes == (
        "classes that only north has, not fitted: wood",
        "classes that only south has, not scored: ice",
    )


def test_one_class_against_several_labels_is_refused(train, make):
    codes = np.zeros((N, 3), np.int8)
    with pytest.raises(StoreError, match="one has one class a sample and the other several labels"):
        TransferStore(train, make(labels=kinds(CLASSES, codes)))


def test_no_class_in_both_is_refused(train, make):
    with pytest.raises(StoreError, match=r"no class is in both \(water, wood, town against ice\)"):
        TransferStore(train, make(labels=kinds(("ice",), np.zeros(N, int))))


def test_a_label_set_of_another_name_must_be_named(train, make):
    other = make(labels=kinds(CLASSES, np.arange(N) % 3, "cover"))
    with pytest.raises(UnknownNameError, match="one of cover. Name its label set with --test-lab"):
        TransferStore(train, other)
    assert len(TransferStore(train, other, test_labels="cover").xy("test")[0])


def test_samples_known_from_training_are_never_scored(train, make):
    # The other sensor's split puts all into test; the ids are those of the train store.
    other = make(ids("n"), splits={"official": np.full(N, 2, np.int8)})
    found, split = TransferStore(train, other), train.split()
    known = set(train.ids[np.isin(split, ["train", "val"])])
    tested = set(found.ids[found.split() == "test"])
    assert tested == set(train.ids) - known
    assert f"{len(known)} test samples of south are train or validation" in found.notes[0]


def test_samples_known_by_their_pair_id_are_never_scored(tmp_path, make):
    pairs = np.array([f"p{row}" for row in range(N)], dtype=object)
    left = make_small_store(
        tmp_path / "l.zarr", ids("n"), features(0), attributes=NORTH, pair_id=pairs
    )
    other = make(pair_id=pairs[::-1].copy(), splits={"official": np.full(N, 2, np.int8)})
    found = TransferStore(left, other)
    known = set(pairs[np.isin(left.split(), ["train", "val"])])
    tested = found.column("pair_id")[found.split() == "test"]
    assert (set(tested) & known, len(tested)) == (set(), N - len(known))


def test_ids_in_both_stores_stay_apart_and_those_of_test_stay(train, make):
    other = make(ids("n"))
    found = TransferStore(train, other)
    assert len(set(found.ids)) == 2 * N
    assert found.ids[N:].tolist() == other.ids.tolist()


def test_nothing_left_to_test_on_says_why(train, make):
    other = make(ids("n"), splits={"official": np.where(train.split() == "test", 0, 2)})
    with pytest.raises(StoreError, match="no sample is left to test on .27 are in train or valid"):
        TransferStore(train, other)


def test_a_scheme_that_test_lacks_names_the_ways_out(train, make):
    other = make(splits={"random-0": np.full(N, 2, np.int8)})
    with pytest.raises(StoreError, match="no test split of a scheme 'official'.*--test-split all"):
        TransferStore(train, other)


def test_an_empty_scheme_says_where_its_lists_come_from(train, make):
    sentence = "Fetch test.csv from https://example.org."
    other = make(attributes={"splits_from": sentence}, splits={"official": np.full(N, 3, np.int8)})
    with pytest.raises(StoreError, match=f"{sentence} Test on all of it with --test-split all"):
        TransferStore(train, other)


def test_all_of_another_dataset_may_be_tested(train, make):
    other = make(splits={"random-0": np.zeros(N, np.int8)}, refused=[4])
    found = TransferStore(train, other, test_split="all")
    assert (len(found.xy("test")[0]), (found.split() == "test").sum()) == (N - 1, N)
    assert found.notes == ("all labelled samples of south are test",)


def test_all_of_the_same_dataset_is_refused(train, make):
    with pytest.raises(UsageError, match="both stores hold dataset 'north'"):
        TransferStore(train, make(attributes=NORTH), test_split="all")


def images(start):
    """Digests of N images, of which those of starts that are near have some in common."""
    return np.array([f"{start + row:064d}" for row in range(N)], dtype=object)


def test_another_folder_of_the_same_name_is_another_dataset(tmp_path, make):
    ours = make_small_store(
        tmp_path / "ours" / "a.zarr", ids("n"), features(0), attributes=NORTH, digests=images(0)
    )
    other, part = (make(attributes=NORTH, digests=images(start)) for start in (N, 9))
    assert TransferStore(ours, other, test_split="all").notes == (
        "all labelled samples of north are test",
    )
    with pytest.raises(UsageError, match="both stores hold dataset 'north'"):
        TransferStore(ours, part, test_split="all")


def test_an_image_that_train_knows_under_another_id_is_never_scored(tmp_path, make):
    ours = make_small_store(
        tmp_path / "ours" / "a.zarr", ids("n"), features(0), attributes=NORTH, digests=images(0)
    )
    other = make(digests=images(N - 8), splits={"official": np.full(N, 2, np.int8)})
    found = TransferStore(ours, other)
    fitted = np.isin(ours.split(), ("train", "val"))[N - 8 :]
    assert (found.split() == "test").sum() == N - fitted.sum()
    assert 0 < fitted.sum() < 8


def test_an_unknown_test_split_is_refused(train, test_store):
    with pytest.raises(UsageError, match="--test-split: it is 'val'; expected test or all"):
        TransferStore(train, test_store, test_split="val")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("algorithm", 2, "version of the embedding algorithm"),
        ("dataset.units", ["dB", "dB"], "unit of the bands"),
        ("input.bands", ["B1", "B3"], "bands .B1, B2 against B1, B3"),
        ("input.adapter", {"name": "pca3", "weights": [[1.0]]}, "adapter"),
        ("input.image_size", 64, "image size .32 against 64"),
        ("input.resize", "bilinear", "resize"),
        ("input.normalise.method", "imagenet", "normalisation"),
        ("model.name", "large", "model"),
        ("model.config", {"channels": 3}, "channels"),
        ("model.weights_sha256", "b" * 64, "weights"),
        ("compute_dtype", "bfloat16", "compute dtype .float32 against bfloat16"),
        ("store_dtype", "float16", "storage dtype"),
    ],
)
def test_features_made_in_another_way_are_mismatches(field, value, words):
    (found,) = match_recipes(RECIPE, changed(field, value), TRANSFER).mismatches
    assert re.match(words, str(found))


def test_mismatches_are_refused_unless_allowed_and_then_told(train, make):
    recipe = changed("compute_dtype", "bfloat16", changed("input.resize", "bilinear"))
    other = make(attributes={"recipe": recipe})
    words = "resize (bicubic against bilinear); compute dtype (float32 against bfloat16)"
    with pytest.raises(StoreError, match=f"recipes differ: {re.escape(words)}.*--allow-mismatch"):
        TransferStore(train, other)
    assert TransferStore(train, other, allow_mismatch=True).notes == (f"recipes differ: {words}",)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset.name", "south"),
        ("dataset.fingerprint", "e" * 64),
        ("dataset.samples", 9),
        ("dataset.limit", 100),
        ("input.normalise.source", "fitted elsewhere"),
        ("model.weights", "a file by another name"),
        ("features", ["cls", "mean"]),
        ("layers", [0, 5]),
        ("layout.shard_rows", 512),
        ("schema", 2),
    ],
)
def test_what_belongs_to_the_images_and_the_layout_may_differ(field, value):
    assert match_recipes(RECIPE, changed(field, value), TRANSFER).mismatches == ()


def test_own_statistics_may_differ_and_are_told():
    found = match_recipes(RECIPE, changed("input.normalise.mean", [5.0, 6.0]), TRANSFER)
    assert found.mismatches == ()
    assert found.notes == ("each store is normalised with its own dataset's statistics",)


def test_the_numbers_of_a_fixed_normalisation_may_not_differ():
    fixed = changed("input.normalise.method", "processor")
    other = changed("input.normalise.std", [5.0, 6.0], fixed)
    assert [item.field for item in match_recipes(fixed, other, TRANSFER).mismatches] == [
        "input.normalise.std"
    ]


def test_processing_levels_are_told_and_not_refused():
    found = match_recipes(RECIPE, changed("dataset.processing", "L2A"), TRANSFER)
    assert (found.mismatches, found.notes) == ((), ("processing level: raw -> L2A",))


def test_random_weights_of_another_seed_are_refused():
    recipes = [changed("model", {"name": "tiny", "config": {}, "seed": s, "weights": f"random {s}"})
               for s in (0, 1)]  # fmt: skip
    assert {item.field for item in match_recipes(*recipes, TRANSFER).mismatches} == {
        "model.seed",
        "model.weights",
    }


def test_features_of_another_width_are_refused(tmp_path, train):
    wide = make_small_store(tmp_path / "w.zarr", ids("s"), np.zeros((N, D + 1)), attributes=SOUTH)
    with pytest.raises(StoreError, match="features are 4 wide in train and 5 in test"):
        TransferStore(train, wide).features()


def test_no_common_feature_or_layer_is_refused(tmp_path, train):
    cls = SOUTH | {"default_feature": "cls"}
    other = make_small_store(tmp_path / "c.zarr", ids("s"), features(1), attributes=cls)
    with pytest.raises(StoreError, match=r"no feature is in both \(mean against cls\)"):
        TransferStore(train, other)
    deep = make_small_store(
        tmp_path / "d.zarr", ids("s"), features(1), layers=(11,), attributes=SOUTH
    )
    with pytest.raises(StoreError, match=r"no layer is in both \(0 against 11\)"):
        TransferStore(train, deep)


def test_the_last_common_layer_is_the_default(tmp_path, train):
    both = np.stack([features(1), features(2)], axis=1)
    deep = make_small_store(tmp_path / "d.zarr", ids("s"), both, layers=(0, 11), attributes=SOUTH)
    found = TransferStore(train, deep)
    assert found.layers == (0,)
    np.testing.assert_array_equal(found.features()[N:], features(1))


def test_the_recipe_id_depends_on_both_stores_and_on_what_is_tested(store, train, test_store):
    ids = {
        store.attributes["recipe_id"],
        TransferStore(test_store, train).attributes["recipe_id"],
        TransferStore(train, test_store, test_split="all").attributes["recipe_id"],
    }
    assert len(ids) == 3


def test_names_tell_from_where_to_where(store):
    assert store.attributes["dataset"] == "north -> south"
    assert (store.attributes["model"], str(store.path).count(" -> ")) == ("tiny", 1)


def test_groups_of_a_store_without_any_are_its_samples(train, make):
    other = make(group=np.array([f"g{row // 6}" for row in range(N)], dtype=object))
    found = TransferStore(train, other)
    assert found.group[:N].tolist() == train.ids.tolist()
    assert found.group[N:].tolist() == other.group.tolist()
    assert TransferStore(other, train).notes == (
        "north declares no groups: each of its samples is one",
    )


def test_columns_are_those_of_the_test_store(train, make):
    found = TransferStore(train, make(meta={"country": np.array(["Chile"] * N, dtype=object)}))
    assert "country" in found.column_names
    assert found.column("country").tolist() == [""] * N + ["Chile"] * N


def test_joined_stores_may_be_tested_on_joined_stores(tmp_path, train, test_store):
    others = [
        make_small_store(tmp_path / f"{k}.zarr", ids(p), features(k), attributes=told)
        for k, p, told in ((5, "n", NORTH), (6, "s", SOUTH))
    ]
    pairs = JoinedStore([train, others[0]]), JoinedStore([test_store, others[1]])
    assert TransferStore(*pairs).xy("test")[0].shape[1] == 2 * D
    with pytest.raises(StoreError, match="number of stores joined .2 against 1"):
        TransferStore(pairs[0], test_store)
