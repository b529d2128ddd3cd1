"""Several stores read as one: which samples, which features, whose labels."""

import numpy as np
import pytest
from small_store import CLASSES, make_small_store

import featbank
from featbank.errors import StoreError, UnknownNameError
from featbank.features.joined_store import JoinedStore
from featbank.probes.protocols import PROTOCOLS
from featbank.samples import LabelSet
from featbank.stages.probe.options import ProbeOptions
from featbank.stages.probe.probe_run import ProbeRun

N = 40
IDS = [f"chip-{row:02d}" for row in range(N)]
CODES = (np.arange(N) % 3).astype(np.int32)
SPLITS = (np.arange(N) % 4 % 3).astype(np.int8)
# The second store holds other rows in another order.
ORDER = np.random.default_rng(3).permutation(N)[:33]


def features(width, seed):
    return np.random.default_rng(seed).normal(size=(N, width)).astype(np.float32)


def taken(rows, **changes):
    """Columns of some rows, as a store of them has them."""
    return {
        "labels": {"kind": LabelSet(classes=CLASSES, codes=CODES[rows])},
        "splits": {"official": SPLITS[rows]},
    } | changes


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    path = tmp_path_factory.mktemp("j") / "a.zarr"
    groups = np.array([f"g{row // 4}" for row in range(N)], dtype=object)
    return make_small_store(path, IDS, features(3, 0), refused=[7], group=groups)


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    path = tmp_path_factory.mktemp("j") / "b.zarr"
    named = {"dataset": "other", "model": "large", "weights": "large.safetensors"}
    ids = [IDS[row] for row in ORDER]
    wood = np.array(["snow" if row == 4 else "" for row in ORDER], dtype=object)
    return make_small_store(
        path, ids, features(5, 1)[ORDER], refused=[2], attributes=named, **taken(ORDER),
        exclude=wood,
    )  # fmt: skip


@pytest.fixture(scope="module")
def joined(first, second):
    return JoinedStore([first, second])


@pytest.fixture
def make(tmp_path):
    def make_second(rows=ORDER, *, attributes=None, name="c", **changes):
        ids = changes.pop("ids", [IDS[row] for row in rows])
        return make_small_store(
            tmp_path / f"{name}.zarr", ids, features(2, 2)[rows], attributes=attributes,
            **taken(rows, **changes),
        )  # fmt: skip

    return make_second


def test_samples_are_those_of_both_in_the_order_of_the_first(joined):
    assert joined.ids.tolist() == [name for row, name in enumerate(IDS) if row in ORDER]


def test_features_stand_side_by_side_row_by_row(joined):
    rows = np.sort(ORDER)
    expected = np.concatenate([features(3, 0)[rows], features(5, 1)[rows]], axis=1)
    np.testing.assert_array_equal(joined.features()[joined.valid], expected[joined.valid])


def test_features_follow_the_order_of_the_stores(joined, first, second):
    other = JoinedStore([second, first])
    place = [other.ids.tolist().index(name) for name in joined.ids]
    np.testing.assert_array_equal(other.features()[place][:, :5], joined.features()[:, 3:])


def test_a_sample_is_valid_where_all_parts_embedded_it(joined):
    refused = {IDS[7], IDS[ORDER[2]]} & set(joined.ids)
    assert set(joined.ids[~joined.valid]) == refused
    assert set(joined.ids[joined.refused == "torn"]) == refused


def test_a_sample_is_excluded_where_any_part_excludes_it(joined):
    assert joined.ids[joined.exclude == "snow"].tolist() == [IDS[4]]


def test_labels_splits_and_groups_are_the_first_stores(joined):
    rows = np.sort(ORDER)
    np.testing.assert_array_equal(joined.labels(), CODES[rows])
    assert joined.split().tolist() == [("train", "val", "test")[c] for c in SPLITS[rows]]
    assert joined.group.tolist() == [f"g{row // 4}" for row in rows]
    assert joined.column("group").tolist() == joined.group.tolist()


def test_names_are_joined(joined):
    told = joined.attributes
    assert (told["model"], told["dataset"]) == ("tiny + large", "made + other")
    assert told["weights"] == "tiny.safetensors + large.safetensors"


def test_the_recipe_id_depends_on_the_parts_and_their_order(joined, first, second, make):
    ids = {
        store.attributes["recipe_id"]
        for store in (joined, JoinedStore([second, first]), JoinedStore([first, make()]), first)
    }
    assert len(ids) == 4
    assert joined.attributes["recipe_id"] == JoinedStore([first, second]).attributes["recipe_id"]


def test_samples_left_out_are_told_on_each_side(first, make):
    extra = np.array([*ORDER, 0])
    other = make(extra, ids=[*(IDS[row] for row in ORDER), "stranger"])
    assert JoinedStore([first, other]).notes == (
        "7 of 40 samples of a.zarr are not in the other store and left out",
        "1 of 34 samples of c.zarr are not in the other store and left out",
    )


def test_stores_are_called_by_what_tells_them_apart(joined):
    assert joined.notes == ("7 of 40 samples of made are not in the other store and left out",)


def test_samples_join_on_pair_id_where_ids_differ(tmp_path, first):
    pairs = np.array([f"s2-{row}" for row in range(N)], dtype=object)
    s2 = make_small_store(tmp_path / "s2.zarr", pairs, features(3, 0), pair_id=pairs)
    s1 = make_small_store(
        tmp_path / "s1.zarr", [f"s1-{row}" for row in ORDER], features(5, 1)[ORDER],
        pair_id=pairs[ORDER], **taken(ORDER),
    )  # fmt: skip
    found = JoinedStore([s1, s2])
    assert found.ids.tolist() == s1.ids.tolist()
    np.testing.assert_array_equal(found.features()[:, 5:], features(3, 0)[ORDER])


def test_a_pair_id_borne_twice_is_refused(tmp_path):
    pairs = np.array([f"p{row // 2}" for row in range(N)], dtype=object)
    left = make_small_store(tmp_path / "l.zarr", IDS, features(3, 0), pair_id=pairs)
    names = [f"x{row}" for row in range(N)]
    right = make_small_store(
        tmp_path / "r.zarr", names, features(3, 0), pair_id=np.array(IDS, dtype=object)
    )
    with pytest.raises(StoreError, match="l.zarr: several samples bear the pair id 'p0'"):
        JoinedStore([left, right])


def test_three_stores_join_on_what_all_hold(first, second, make):
    third = make(np.arange(20))
    found = JoinedStore([first, second, third])
    assert found.ids.tolist() == [IDS[row] for row in range(20) if row in ORDER]
    assert found.features().shape[1] == 3 + 5 + 2


def test_nothing_in_common_is_one_line(first, make):
    other = make(np.arange(3), ids=["x", "y", "z"])
    with pytest.raises(StoreError, match="a.zarr and c.zarr: no sample is in both.*'chip-00'.*'x'"):
        JoinedStore([first, other])


@pytest.mark.parametrize("count", [1, 2])
def test_one_store_alone_or_twice_is_refused(first, count):
    with pytest.raises(StoreError, match="expected two or more different stores"):
        JoinedStore([first] * count)


def test_other_labels_name_the_first_sample(first, make):
    codes = CODES[ORDER].copy()
    rows = np.flatnonzero(np.isin(ORDER, np.sort(ORDER)[[5, 9]]))
    codes[rows] = (codes[rows] + 1) % 3
    name = IDS[np.sort(ORDER)[5]]
    other = make(labels={"kind": LabelSet(classes=CLASSES, codes=codes)})
    with pytest.raises(StoreError, match=rf"sample '{name}' '\w+' in one.*\(2 samples differ\)"):
        JoinedStore([first, other])


def test_a_label_that_one_store_does_not_know_is_no_disagreement(first, make):
    labels = {"kind": LabelSet(classes=CLASSES, codes=np.full(len(ORDER), -1, np.int32))}
    assert len(JoinedStore([first, make(labels=labels)])) == len(ORDER)


def test_other_classes_are_refused(first, make):
    labels = {"kind": LabelSet(classes=("water", "forest", "town"), codes=CODES[ORDER])}
    with pytest.raises(StoreError, match="label set 'kind' differ, first 'wood' and 'forest'"):
        JoinedStore([first, make(labels=labels)])


def test_several_labels_a_sample_are_compared_too(tmp_path):
    codes = np.random.default_rng(0).integers(0, 2, (N, 3)).astype(np.int8)
    other = codes.copy()
    other[6] = 1 - other[6]
    stores = [
        make_small_store(tmp_path / f"{number}.zarr", IDS, features(2, number),
                         labels={"kind": LabelSet(classes=CLASSES, codes=column)})
        for number, column in enumerate([codes, codes, other])
    ]  # fmt: skip
    np.testing.assert_array_equal(JoinedStore(stores[:2]).labels(), codes)
    with pytest.raises(StoreError, match="gives sample 'chip-06'"):
        JoinedStore(stores[1:])


def test_other_splits_name_the_first_sample(first, make):
    splits = SPLITS[ORDER].copy()
    splits[ORDER.tolist().index(np.sort(ORDER)[3])] = 3
    name = IDS[np.sort(ORDER)[3]]
    with pytest.raises(StoreError, match=rf"'official' gives sample '{name}' \w+ in one and unlab"):
        JoinedStore([first, make(splits={"official": splits})])


def test_a_store_without_the_labels_is_told(first, make):
    other = make(labels={}, splits={"random-0": SPLITS[ORDER]})
    told = JoinedStore([first, other]).notes[1]
    assert "no label set 'kind' and no split scheme 'official'" in told


def test_each_store_has_its_own_default_feature(tmp_path, first):
    other = make_small_store(
        tmp_path / "b.zarr", IDS, features(2, 2), attributes={"default_feature": "cls"}
    )
    found = JoinedStore([first, other])
    assert found.attributes["default_feature"] == "mean|cls"
    np.testing.assert_array_equal(found.features("mean|cls"), found.features())
    with pytest.raises(UnknownNameError, match="b.zarr holds no such feature"):
        found.features("mean")


def test_features_of_too_many_stores_are_refused(joined):
    with pytest.raises(UnknownNameError, match="features of 3 stores, and 2 are joined"):
        joined.features("mean|mean|mean")


def test_layers_are_the_last_of_each_where_those_differ(tmp_path, first):
    rows = features(4, 0).reshape(N, 2, 2)
    deep = make_small_store(tmp_path / "d.zarr", IDS, rows, layers=(0, 11), **taken(np.arange(N)))
    found = JoinedStore([first, deep])
    assert found.layers == (0, -1)
    np.testing.assert_array_equal(found.features(layer=-1)[:, 3:], rows[:, 1])
    np.testing.assert_array_equal(found.features(layer=0)[:, 3:], rows[:, 0])
    assert any("layers are the last of each store" in note for note in found.notes)


def test_untrained_weights_of_any_part_are_told(first, make):
    other = make(attributes={"weights": "random, untrained (seed 3)"})
    assert any("random, untrained (seed 3)" in note for note in JoinedStore([first, other]).notes)


def test_an_unknown_label_set_or_scheme_is_refused(first, second):
    with pytest.raises(UnknownNameError, match="no such label set"):
        JoinedStore([first, second], labels="kinds")
    with pytest.raises(UnknownNameError, match="no such split scheme"):
        JoinedStore([first, second], split_scheme="random-0")


def test_training_data_leave_out_refused_and_excluded_rows(joined):
    X, y = joined.xy("train")
    assert (X.shape[1], np.isfinite(X).all()) == (8, True)
    assert len(y) == (joined.usable() & (joined.split() == "train")).sum()


@pytest.mark.parametrize("call", ["to_pandas", "to_xarray"])
def test_tables_are_taken_from_the_parts(joined, call):
    with pytest.raises(StoreError, match=r"from each of .parts"):
        getattr(joined, call)()


def test_a_probe_takes_joined_stores(joined):
    run = ProbeRun(PROTOCOLS["featbank-knn"], joined, ProbeOptions(params={"k": 3}))
    data = run.read()
    _, scores = next(run.final_fits(data, run.choose(data).params))
    assert scores.shape == (len(data.rows["test"]), 3)


@pytest.mark.slow
def test_two_sensors_over_one_landscape_join_and_are_probed(tmp_path):
    # The landscape's chips and places are the same for all sensors, and so are labels and splits.
    stores = [
        featbank.embed("imagestats", f"synthetic-{sensor}", bank=tmp_path, chips=120, workers=0)
        for sensor in ("s1", "s2")
    ]
    found = JoinedStore(stores)
    run = ProbeRun(PROTOCOLS["featbank-knn"], found, ProbeOptions())
    data = run.read()
    _, scores = next(run.final_fits(data, run.choose(data).params))
    assert (len(found), found.notes, found.features().shape[1]) == (120, (), 8 + 48)
    assert len(scores) == (found.usable() & (found.split() == "test")).sum()
