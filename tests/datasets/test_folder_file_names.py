"""Names of any bytes: ids, classes and pixels of each file, and texts that every format holds."""

import os

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_folders import make_folder
from PIL import Image

from featbank.datasets import DATASETS, DatasetRequest
from featbank.file_names import as_text, from_text, printable

LATIN = os.fsdecode(b"For\xeat")


def open_folder(root, **more):
    return DATASETS["folder"].open(DatasetRequest(root=root, **more))


NAMES = {
    "Latin 1": (LATIN, r"For\xeat"),
    "spaces": (" a  b ", " a  b "),
    "quotes": ('it\'s "so"', 'it\'s "so"'),
    "a newline": ("a\nb", "a\nb"),
    "a tab": ("a\tb", "a\tb"),
    "a leading dash": ("--rm", "--rm"),
    "an emoji": ("🌲", "🌲"),
    "a backslash": ("a\\b", "a\\b"),
    "what reads like bytes": (r"a\xea", r"a\\xea"),
    "percent and braces": ("%s {0}", "%s {0}"),
    "a long name": ("x" * 250, "x" * 250),
    "right to left": ("غابة", "غابة"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_read_and_told(kind, tmp_path):
    name, text = NAMES[kind]
    root = make_folder(tmp_path / "root", [f"{name}/{name}.png", "River/a.png"])
    dataset = open_folder(root)
    row = list(dataset.samples.ids).index(f"{text}/{text}")
    assert text in dataset.samples.labels["class"].classes
    with open(os.path.join(root, name, f"{name}.png"), "rb") as file:
        expected = np.asarray(Image.open(file)).transpose(2, 0, 1)
    np.testing.assert_array_equal(dataset.reader.read(row)["image"], expected)


@pytest.mark.parametrize("kind", NAMES)
def test_ids_and_classes_are_texts_that_parquet_holds(kind, tmp_path):
    name, _ = NAMES[kind]
    samples = open_folder(make_folder(tmp_path / "root", [f"{name}/{name}.png"])).samples
    texts = [*samples.ids, *samples.origins, *samples.labels["class"].classes]
    assert pa.array(texts, pa.string()).to_pylist() == texts


def test_names_that_differ_in_one_byte_stay_apart(tmp_path):
    names = [os.fsdecode(b"a\xea"), os.fsdecode(b"a\xeb"), r"a\xea", "a"]
    root = make_folder(tmp_path / "root", [f"c/{name}.png" for name in names])
    assert len(set(open_folder(root).samples.ids)) == len(names)


def test_a_folder_named_by_bytes_has_a_name_in_text(tmp_path):
    root = make_folder(tmp_path / LATIN, ["a/a.png"])
    assert open_folder(root).name == r"For\xeat"


def test_a_refused_folder_named_by_bytes_is_told_in_text(tmp_path):
    root = make_folder(tmp_path / "root", ["a/a.png", f"{LATIN}/"])
    with pytest.raises(ValueError, match=r"For\\xeat: this class folder holds no image"):
        open_folder(root)


file_names = st.binary(min_size=1, max_size=12).map(os.fsdecode)


@given(file_names)
def test_a_text_gives_its_name_back(name):
    assert from_text(as_text(name)) == name


@given(st.text(alphabet="\\xea0\udcea", max_size=8), st.text(alphabet="\\xea0\udcea", max_size=8))
def test_two_names_never_share_a_text(first, second):
    assert (as_text(first) == as_text(second)) == (first == second)


@given(file_names)
def test_a_text_can_be_encoded(name):
    assert as_text(name).encode().decode() == as_text(name)
    assert printable(name).encode()


def test_a_refusal_of_any_name_is_one_line(tmp_path):
    root = make_folder(tmp_path / "root", ["a/a.png", "b\n\x1b[31m\u2028c/"])
    with pytest.raises(ValueError, match="holds no image") as caught:
        open_folder(root)
    assert str(caught.value).isprintable()


def test_notes_of_any_name_are_one_line(tmp_path):
    root = make_folder(tmp_path / "root", ["w\n/a/a.png", "w\n/b/a.png", "w\n/a/b.x\ny", "c\n/"])
    assert "".join(open_folder(root).notes).isprintable()
