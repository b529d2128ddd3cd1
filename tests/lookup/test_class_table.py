"""Classes by splits are counted alike from a dataset and from its store."""

import numpy as np
import pytest

from featbank.errors import MissingPathError
from featbank.lookup.class_table import dataset_classes, store_classes
from featbank.samples import LabelSet, Samples

TRAIN, VAL, TEST, UNLABELLED = range(4)


def samples(codes, split, *, classes=("a", "b", "c"), exclude=None):
    """Samples of one label set in the scheme 'official'."""
    n = len(split)
    names = np.array([str(i) for i in range(n)], dtype=object)
    labels = {}
    if codes is not None:
        labels = {"set": LabelSet(classes=classes, codes=np.asarray(codes))}
    return Samples(
        ids=names,
        origins=names,
        labels=labels,
        splits={"official": np.array(split, dtype=np.int8)},
        exclude=None if exclude is None else np.array(exclude, dtype=object),
    )


def test_each_class_is_counted_in_each_split():
    table = dataset_classes(samples([0, 0, 1, 1, 0], [0, 0, 0, 1, 2]), "official")
    assert table.splits == ("train", "val", "test")
    assert table.counts == {"a": (2, 0, 1), "b": (1, 1, 0), "c": (0, 0, 0)}
    assert table.samples == (3, 1, 1)


def test_samples_without_a_label_are_counted_apart():
    table = dataset_classes(samples([0, -1, 1, -1], [0, 0, 2, 2]), "official")
    assert (table.samples, table.without_label) == ((2, 0, 2), (1, 0, 1))
    assert table.counts == {"a": (1, 0, 0), "b": (0, 0, 1), "c": (0, 0, 0)}


def test_the_unlabelled_split_is_a_column_where_it_holds_samples():
    table = dataset_classes(samples([0, 1, -1], [0, 2, 3]), "official")
    assert table.splits == ("train", "val", "test", "unlabelled")
    assert table.without_label == (0, 0, 0, 1)


def test_one_split_for_all_is_one_column():
    table = dataset_classes(samples(None, [3, 3]), "official")
    assert (table.splits, table.samples, table.counts) == (("unlabelled",), (2,), {})


def test_several_labels_are_counted_by_their_positives():
    codes = np.array([[1, 1, 0], [0, 1, 0], [-1, -1, -1]], dtype=np.int8)
    table = dataset_classes(samples(codes, [0, 2, 2]), "official")
    assert table.counts == {"a": (1, 0, 0), "b": (1, 0, 1), "c": (0, 0, 0)}
    assert (table.samples, table.without_label) == ((1, 0, 2), (0, 0, 1))
    assert table.is_multilabel


def test_samples_that_are_left_out_do_not_count():
    table = dataset_classes(samples([0, 0], [0, 0], exclude=["", "snow"]), "official")
    assert (table.counts["a"], table.samples) == ((1, 0, 0), (1, 0, 0))


def test_counts_equal_pandas_on_a_crowd():
    import pandas as pd

    rng = np.random.default_rng(0)
    codes, split = rng.integers(0, 3, 500), rng.integers(0, 4, 500)
    table = dataset_classes(samples(codes, split), "official")
    expected = pd.crosstab(np.array(list("abc"))[codes], np.array(table.splits)[split])
    for name, row in table.counts.items():
        assert row == tuple(expected.loc[name, list(table.splits)])


def test_the_table_names_its_splits_in_json():
    row = dataset_classes(samples([0, 1], [0, 2]), "official").as_row()
    assert row["counts"]["b"] == {"train": 0, "val": 0, "test": 1}
    assert (row["label_set"], row["split_scheme"]) == ("set", "official")


def test_a_missing_store_is_named(tmp_path):
    with pytest.raises(MissingPathError, match=r"none\.zarr"):
        store_classes(tmp_path / "none.zarr")
