import json

import numpy as np
import pytest

from featbank.datasets._clc import CLASSES_19, CLASSES_43, indices_43, map_to_19, merge_to_19
from featbank.errors import DatasetError


@pytest.fixture(scope="module")
def published(shared):
    return json.loads(
        (shared / "data" / "bigearthnet_tables" / "ben_labels_43_to_19.json").read_text()
    )


def test_the_19_classes_stand_in_the_published_order(published):
    assert list(CLASSES_19) == published["new19_order"]


def test_the_43_classes_stand_in_the_published_order(published):
    assert list(CLASSES_43) == list(published["old43_to_new19"])


def test_every_class_merges_as_published(published):
    merged = merge_to_19(np.eye(43, dtype=np.int8))
    named = [CLASSES_19[row.argmax()] if row.any() else None for row in merged]
    assert dict(zip(CLASSES_43, named, strict=True)) == published["old43_to_new19"]


def test_classes_that_merge_are_counted_once():
    codes = np.zeros((1, 43), dtype=np.int8)
    codes[0, indices_43(["Water courses", "Water bodies"], source="x")] = 1
    assert merge_to_19(codes).sum() == 1


# The publisher's table of map codes, as label by code.
CODES = {0: [111, 112], 1: [121], 2: [211, 212, 213], 3: [221, 222, 223, 241], 4: [231]}
CODES |= {5: [242], 6: [243], 7: [244], 8: [311], 9: [312], 10: [313], 11: [321, 333]}
CODES |= {12: [322, 323], 13: [324], 14: [331], 15: [411, 412], 16: [421, 422]}
CODES |= {17: [511, 512], 18: [521, 522, 523]}


def test_every_map_code_has_its_class():
    pixels = np.arange(1200, dtype=np.uint16).reshape(30, 40)
    expected = np.full(1200, -1)
    for index, codes in CODES.items():
        expected[codes] = index
    np.testing.assert_array_equal(map_to_19(pixels).ravel(), expected)


def test_an_unknown_label_is_named_with_its_file_and_a_near_one():
    with pytest.raises(DatasetError, match="p.json: holds the label 'Pasture'.*'Pastures'"):
        indices_43(["Pasture"], source="p.json")
