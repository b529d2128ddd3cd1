"""Points told apart by classes, splits, columns, and right or wrong."""

import numpy as np
import pytest
from labelled_store import CLASSES, make_labelled_store, make_labels
from small_store import make_small_store

from featbank.bank.results import Predictions
from featbank.errors import UnknownNameError
from featbank.pages.colour_columns import OTHERS, OUTCOME, UNKNOWN, ColourColumns
from featbank.samples import LabelSet

ROWS = np.array([4, 0, 3, 9])


def small(path, **columns):
    n = 12
    return make_small_store(path / "s.zarr", [f"c{i}" for i in range(n)], np.eye(n), **columns)


def values(found):
    return [found.names[code] for code in found.codes]


def predictions(ids, truth, scores):
    return Predictions(ids=np.array(ids, object), split="test", truth=np.array(truth),
                       scores=np.array(scores), classes=("water", "wood", "town"))  # fmt: skip


def test_values_are_those_of_each_point_in_the_order_of_the_map(tmp_path):
    store = small(tmp_path)
    found = ColourColumns(store, ROWS).colouring("label_kind")
    assert values(found) == store.column("label_kind")[ROWS].tolist()


def test_classes_stand_in_the_order_of_the_label_set(tmp_path):
    labels = {"kind": LabelSet(classes=("z", "a", "m"), codes=np.arange(12) % 3)}
    store = small(tmp_path, labels=labels)
    assert ColourColumns(store, np.arange(12)).colouring("label_kind").names == ("z", "a", "m")


def test_other_values_stand_with_the_most_frequent_first(tmp_path):
    meta = {"country": np.array(["Bulgaria"] * 2 + ["Ireland"] * 9 + [""], dtype=object)}
    found = ColourColumns(small(tmp_path, meta=meta), np.arange(12)).colouring("country")
    assert found.names == ("Ireland", "Bulgaria", UNKNOWN)
    assert found.counts == [9, 2, 1]
    assert found.is_grey == (False, False, True)


def test_rare_values_share_a_grey(tmp_path):
    n = 70
    meta = {"plot": np.array([f"p{i // 2:02d}" for i in range(2 * n)], dtype=object)}
    ids = [f"c{i}" for i in range(2 * n)]
    store = make_small_store(tmp_path / "s.zarr", ids, np.ones((2 * n, 2)), meta=meta)
    found = ColourColumns(store, np.arange(2 * n)).colouring("plot")
    assert (len(found.names), found.names[-1], found.counts[-1]) == (50, OTHERS, 2 * (n - 49))
    assert sum(found.counts) == 2 * n


def test_each_label_of_several_is_a_column(tmp_path):
    from featbank.store.reader import Store

    store = Store(make_labelled_store(tmp_path / "s.zarr"))
    columns = ColourColumns(store, ROWS)
    name = f"label_cover:{CLASSES[2]}"
    assert name in columns.names
    words = {1: "yes", 0: "no", -1: UNKNOWN}
    assert values(columns.colouring(name)) == [words[c] for c in make_labels()[ROWS, 2]]
    assert columns.labels_of(0) == tuple(
        c for c, bears in zip(CLASSES, make_labels()[4], strict=True) if bears == 1
    )
    assert columns.labels_of(3) == ()


def test_right_and_wrong_follow_the_ids_of_the_predictions(tmp_path):
    store = small(tmp_path)
    said = predictions(["c3", "c4"], [0, 1], [[0.9, 0.1, 0], [0.9, 0.1, 0]])
    found = ColourColumns(store, ROWS, said).colouring(OUTCOME)
    assert values(found) == ["wrong", "not scored", "right", "not scored"]
    assert found.names == ("right", "wrong", "not scored")


def test_of_several_labels_all_must_be_right(tmp_path):
    store = small(tmp_path)
    scores = [[0.9, 0.1, 0.8], [0.9, 0.1, 0.2]]
    said = predictions(["c4", "c0"], [[1, 0, 1], [1, 0, 1]], scores)
    found = ColourColumns(store, ROWS, said).colouring(OUTCOME)
    assert values(found)[:2] == ["right", "wrong"]


def test_an_unknown_column_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'label_kind'"):
        ColourColumns(small(tmp_path), ROWS).colouring("label_kinds")


def test_without_predictions_nothing_is_right_or_wrong(tmp_path):
    assert OUTCOME not in ColourColumns(small(tmp_path), ROWS).names


def test_a_store_without_labels_is_coloured_by_its_splits(tmp_path):
    columns = ColourColumns(small(tmp_path, labels={}), ROWS)
    assert columns.names[0] == "split_official"
    assert columns.labels_of(0) == ()
