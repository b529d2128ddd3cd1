"""A store as a notebook shows it."""

import numpy as np
import pytest
from fake_store import make_store
from labelled_store import make_labelled_store
from small_store import make_small_store

from featbank.samples import LabelSet
from featbank.store.reader import Store


@pytest.fixture
def store(tmp_path):
    return Store(make_store(tmp_path / "s.zarr"))


@pytest.fixture
def html(store):
    return store._repr_html_()


def test_it_tells_samples_features_and_splits(store, html):
    assert "150 (1 refused, 1 excluded)" in html
    assert "cls (6), mean (6); layers 3, 11" in html
    train, val, test = ((store.split() == name).sum() for name in ("train", "val", "test"))
    assert f"random-0: {train} train, {val} val, {test} test" in html


def test_it_tells_label_sets(html):
    assert "cover (3 classes), kinds (2 classes, several a sample)" in html


def test_classes_are_counted_the_greatest_first(tmp_path):
    store = Store(make_labelled_store(tmp_path / "s.zarr"))
    counts = (store.labels("cover") == 1).sum(axis=0)
    table = store._repr_html_().split("samples of each class: cover")[1].split("</details>")[0]
    places = [table.index(f">{count}</td>") for count in sorted(counts.tolist())[::-1]]
    assert places == sorted(places)


def test_a_class_name_never_becomes_a_tag(tmp_path):
    labels = {"kind": LabelSet(classes=("<b>wet</b>", "dry"), codes=np.array([0, 1, 0]))}
    store = make_small_store(tmp_path / "s.zarr", ["a", "b", "c"], np.eye(3), labels=labels)
    assert "<b>" not in store._repr_html_()
    assert "&lt;b&gt;wet&lt;/b&gt;" in store._repr_html_()


def test_a_store_without_labels_says_so(tmp_path):
    store = make_small_store(tmp_path / "s.zarr", ["a", "b"], np.eye(2), labels={})
    assert ">none<" in store._repr_html_()
