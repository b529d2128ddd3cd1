"""Publishers' split lists that are damaged, or do not fit the files that are here."""

import bz2
import shutil
from pathlib import Path

import numpy as np
import pytest
from fake_bigearthnet import copy_writable

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets.splitting.listed_splits import ListedSplits
from featbank.datasets.splitting.split_lists import read_lines
from featbank.errors import DatasetError, FeatbankError

TRAIN, VAL, TEST = (f"eurosat-{split}.txt" for split in ("train", "val", "test"))
KEYS = [f"k{i}" for i in range(10)]


@pytest.fixture
def copy(shared, tmp_path):
    return copy_writable(shared / "data" / "eurosat100", tmp_path / "eurosat100")


def opened(root, splits=None):
    return DATASETS["eurosat-ms"].open(DatasetRequest(root=root, splits=splits))


def counts(dataset):
    return np.bincount(dataset.samples.splits["random"], minlength=4).tolist()


def with_bom(data):
    return b"\xef\xbb\xbf" + data


HARMLESS = {
    "byte order mark": with_bom,
    "line ends of windows": lambda data: data.replace(b"\n", b"\r\n"),
    "line ends of old macs": lambda data: data.replace(b"\n", b"\r"),
    "blank lines": lambda data: b"\n\n" + data.replace(b"\n", b"\n\n   \n") + b"\n\n",
    "spaces around": lambda data: data.replace(b"\n", b"  \t\n"),
    "no last line end": lambda data: data.rstrip(),
    "all of them": lambda data: with_bom(data.replace(b"\n", b" \r\n\r\n")),
    "names of jpegs": lambda data: data.replace(b".tif", b".jpg"),
    "names without a suffix": lambda data: data.replace(b".tif", b""),
    "paths": lambda data: b"".join(
        b"EuroSAT/" + line.split(b"_")[0] + b"/" + line + b"\n" for line in data.split()
    ),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_how_a_list_was_saved_changes_nothing(kind, copy):
    expected = opened(copy)
    (copy / TRAIN).write_bytes(HARMLESS[kind]((copy / TRAIN).read_bytes()))
    found = opened(copy)
    np.testing.assert_array_equal(found.samples.splits["random"], expected.samples.splits["random"])
    assert found.notes == ()


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_an_empty_list_is_refused(data, copy):
    """Sixty train samples became unlabelled in silence."""
    (copy / TRAIN).write_bytes(data)
    with pytest.raises(DatasetError, match="eurosat-train.txt: is empty"):
        opened(copy)


@pytest.mark.parametrize("lost", [TRAIN, VAL, TEST])
def test_a_list_that_is_not_there_is_refused_where_its_samples_are(lost, copy):
    (copy / lost).unlink()
    count = 60 if lost == TRAIN else 20
    with pytest.raises(DatasetError, match=f"and {count} of 100 samples are in no list"):
        opened(copy)


def test_a_list_of_other_names_is_refused(copy):
    (copy / TRAIN).write_text("Lake_1.tif\nLake_2.tif\n")
    with pytest.raises(DatasetError, match=r"names none of the samples here \('Lake_1' …\)"):
        opened(copy)


def test_one_list_may_still_be_named_alone(copy):
    dataset = opened(copy, copy / VAL)
    assert counts(dataset) == [0, 20, 0, 80]
    assert any("80 of 100 samples are in no split list" in note for note in dataset.notes)


def test_a_list_cut_short_is_told_with_all_it_lost(copy):
    names = (copy / TRAIN).read_bytes()
    (copy / TRAIN).write_bytes(names[:400])
    dataset = opened(copy)
    whole = names[:400].count(b"\n")
    assert counts(dataset) == [whole, 20, 20, 60 - whole]
    cut = names[:400].split(b"\n")[-1].decode()
    assert any(f"its last line '{cut}" in note and "cut short" in note for note in dataset.notes)
    assert any(f"{60 - whole} of 100 samples are in no" in note for note in dataset.notes)


def test_a_cut_name_is_not_another_chip(copy):
    """'AnnualCrop_1' is what is left of 'AnnualCrop_1234.tif', and a chip that exists."""
    root = copy / "EuroSATallBands" / "AnnualCrop"
    first = min(root.iterdir())
    shutil.copyfile(first, root / "AnnualCrop_1.tif")
    (copy / TRAIN).write_text((copy / TRAIN).read_text().rstrip() + "\nAnnualCrop_1")
    dataset = opened(copy)
    row = dataset.samples.ids.tolist().index("AnnualCrop_1")
    assert dataset.samples.splits["random"][row] == 3


def test_lines_without_a_file_are_counted_and_named(copy):
    with (copy / TEST).open("a") as file:
        file.write("Lake_7.tif\nLake_8.tif\n")
    (note,) = opened(copy).notes
    assert note == (
        "2 of 102 names in split lists are not here, the first is 'Lake_7' of eurosat-test.txt"
    )


def test_files_without_a_line_are_counted_and_named(copy):
    folder = copy / "EuroSATallBands" / "River"
    shutil.copyfile(min(folder.iterdir()), folder / "River_99999.tif")
    (note,) = opened(copy).notes
    assert note == ("1 of 101 samples are in no split list, the first is 'River_99999': unlabelled")


def test_a_name_twice_in_one_list_is_told(copy):
    lines = (copy / VAL).read_text().split()
    (copy / VAL).write_text("\n".join([*lines, lines[3]]))
    (note,) = opened(copy).notes
    stem = lines[3].removesuffix(".tif")
    assert note == f"eurosat-val.txt: 1 names stand twice, the first is '{stem}'"


def test_a_name_in_two_lists_is_refused(copy):
    first = (copy / TRAIN).read_text().split()[0]
    (copy / TEST).write_text((copy / TEST).read_text() + f"\n{first}\n")
    with pytest.raises(DatasetError, match=r"which eurosat-\w+.txt lists too"):
        opened(copy)


def test_a_part_of_the_files_with_whole_lists_opens(copy):
    """Every file that is here has its line; the lists hold more."""
    for path in sorted(copy.rglob("*.tif"))[::2]:
        path.unlink()
    dataset = opened(copy)
    assert counts(dataset)[3] == 0
    assert any("50 of 100 names in split lists are not here" in note for note in dataset.notes)


def listed(**options):
    files = {split: Path(f"{split}.csv") for split in options["names"]}
    return ListedSplits(keys=KEYS, files=files, **options)


def test_of_a_part_a_whole_split_may_be_elsewhere():
    """Nine patches of BigEarthNet stand in train and test alone."""
    names = {"train": KEYS[:6], "val": ["x"], "test": KEYS[6:9]}
    found = listed(names=names, is_part=True)
    assert np.bincount(found.codes(), minlength=4).tolist() == [6, 0, 3, 1]
    with pytest.raises(DatasetError, match="names none of the samples here"):
        listed(names=names).codes()


def test_samples_that_the_publisher_leaves_out_need_no_line():
    exclude = np.array([""] * 9 + ["snow"], dtype=object)
    names = {"train": KEYS[:6], "val": KEYS[6:7], "test": KEYS[7:9]}
    found = listed(names=names, exclude=exclude)
    found.codes()
    assert list(found.notes()) == []


def test_a_list_of_no_names_is_refused_where_samples_are_lost():
    names = {"train": KEYS[:6], "val": [], "test": KEYS[6:9]}
    with pytest.raises(DatasetError, match="holds no sample name, and 1 of 10 samples"):
        listed(names=names).codes()
    assert "val.csv: holds no sample name" in list(listed(names=names, is_part=True).notes())


@pytest.mark.parametrize("end", [20, 60, -3])
def test_a_compressed_list_cut_short_is_refused(end, tmp_path):
    path = tmp_path / "train.csv.bz2"
    path.write_bytes(bz2.compress("\n".join(KEYS).encode() * 50)[:end])
    with pytest.raises(FeatbankError, match=r"train.csv.bz2: (does not unpack|is empty)"):
        read_lines(path)


@pytest.mark.parametrize("data", ["k1\n".encode("utf-16"), b"\xff\xfe\x00", b"\xe9\n"])
def test_a_list_that_is_no_text_is_refused(data, tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="train.csv: does not read as text"):
        read_lines(path)


def test_the_first_line_of_bigearthnet_is_read_past_a_byte_order_mark(shared, tmp_path):
    data = shared / "data"
    root = copy_writable(data / "bigearthnet_v1", tmp_path / "v1")
    plain = DATASETS["bigearthnet-s1"].open(
        DatasetRequest(root=root, splits=data / "bigearthnet_tables")
    )
    pairs = zip(plain.samples.pair_id, plain.samples.splits["official"], strict=True)
    rows = sorted((int(code), name) for name, code in pairs)
    (root / "splits").mkdir()
    for code, split in enumerate(("train", "val", "test")):
        lines = ["s2_name", *(name for own, name in rows if own == code)]
        lines = lines[1:] if code != 1 else lines
        (root / "splits" / f"{split}.csv").write_bytes(with_bom("\r\n".join(lines).encode()))
    for path in (data / "bigearthnet_tables").glob("patches_with*"):
        shutil.copyfile(path, root / "splits" / path.name)
    found = DATASETS["bigearthnet-s1"].open(DatasetRequest(root=root))
    np.testing.assert_array_equal(
        found.samples.splits["official"], plain.samples.splits["official"]
    )
