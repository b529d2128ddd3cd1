"""``embed``, ``--dry-run`` and ``show`` tell classes by splits and what of a folder is not read."""

import json
import os

import pytest
from made_folders import braced, make_folder

from featbank.cli.main import run

SPLITS = {"train": 3, "val": 1, "test": 2}


def cells(text):
    """Words of each line."""
    return [line.split() for line in text.splitlines()]


@pytest.fixture
def root(tmp_path):
    """Two classes in three splits, one class missing from one of them, and odd files."""
    there = "train/{Forest/a,Forest/b,River/c}.png val/Forest/d.png test/{Forest,River}/e.png"
    more = "train/Forest/{x,y}.webp2 train/._a.png readme.txt"
    return make_folder(tmp_path / "places", braced(f"{there} {more}"))


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def run_and_read(*args, code=0):
        capsys.readouterr()
        found = run([*map(str, args), "--bank", str(tmp_path / "bank")])
        out = capsys.readouterr()
        assert found == code, out.err
        return out.out if code == 0 else out.err

    return run_and_read


def embed(root, *more):
    return ("embed", "--model", "imagestats", "--dataset", root, "--workers", "0", *more)


TABLE = [
    ["class", "train", "val", "test"],
    ["Forest", "2", "1", "1"],
    ["River", "1", "0", "1"],
    ["samples", "of", "2", "classes", "3", "1", "2"],
]


def test_embed_tells_classes_by_splits(call, root):
    told = cells(call(*embed(root)))
    assert [row for row in TABLE if row not in told] == []


def test_a_rehearsal_tells_classes_by_splits(call, root):
    told = cells(call(*embed(root, "--dry-run")))
    assert [row for row in TABLE if row not in told] == []


def test_show_tells_classes_by_splits(call, root):
    call(*embed(root))
    told = cells(call("show"))
    assert [row for row in TABLE if row not in told] == []


def test_json_holds_classes_by_splits(call, root):
    found = [
        json.loads(call(*args, "--json"))["classes"]
        for args in (embed(root, "--dry-run"), embed(root), ("show",))
    ]
    assert found[0]["samples"] == SPLITS
    assert found[0]["counts"]["River"] == {"train": 1, "val": 0, "test": 1}
    assert found[0] == found[1] == found[2]


def test_embed_says_what_is_not_read_in_its_first_line(call, root):
    line = call(*embed(root)).splitlines()[0]
    assert "2 of 8 files are not read: 2 .webp2" in line
    assert "1 hidden or system entry is skipped" in line
    assert "no sample of River in val" in line


def test_a_rehearsal_says_what_is_not_read(call, root):
    notes = json.loads(call(*embed(root, "--dry-run"), "--json"))["dry_run"]["notes"]
    assert any("2 .webp2" in note for note in notes)


def test_show_says_what_is_not_read(call, root):
    call(*embed(root))
    assert any("2 .webp2" in note for note in json.loads(call("show", "--json"))["notes"])


def test_check_says_what_is_not_read(root, capsys):
    assert run(["datasets", "--check", str(root), "--json"]) == 0
    assert any("2 .webp2" in note for note in json.loads(capsys.readouterr().out)["notes"])


@pytest.fixture
def flat(tmp_path):
    return make_folder(tmp_path / "flat", braced("{0,1,2,3,4,5,6,7,8,9}.png"))


def test_a_flat_folder_embeds_without_a_label_set(call, flat):
    found = json.loads(call(*embed(flat), "--json"))
    assert found["embed"]["n"] == 10
    assert json.loads(call("show", "--json"))["label_sets"] == []
    assert found["classes"]["counts"] == {}


def test_a_probe_of_a_flat_folder_says_that_there_are_no_labels(call, flat):
    call(*embed(flat))
    told = call("probe", "--clf", "knn", code=1)
    assert "it holds no labels" in told
    assert len(told.splitlines()) == 1


def test_splits_without_classes_embed_with_their_official_split(call, tmp_path):
    root = make_folder(tmp_path / "plots", braced("{train,val,test}/{1,2,3}.tif"))
    found = json.loads(call(*embed(root), "--json"))["classes"]
    assert found["split_scheme"] == "official"
    assert found["without_label"] == {"train": 3, "val": 3, "test": 3}


def test_a_refused_layout_is_one_line(call, tmp_path):
    root = make_folder(tmp_path / "mixed", braced("{train,test,Forest}/a.png"))
    told = call(*embed(root), code=1)
    assert "holds train, test beside 'Forest'; expected" in told
    assert len(told.splitlines()) == 1


def test_a_folder_of_names_that_are_no_utf8_is_embedded_and_found(call, tmp_path, monkeypatch):
    name = os.fsdecode(b"For\xeat")
    there = [f"{c}/{name}{k}.png" for c in (name, "River") for k in range(5)]
    root = make_folder(tmp_path / name, there)
    with open(os.path.join(root, name, f"{name}9.png"), "w") as torn:
        torn.write("torn")
    call(*embed(root, "--max-invalid", "0.1"))
    found = json.loads(call("show", "--model", "imagestats", "--dataset", root, "--json"))
    assert found["dataset"] == r"For\xeat"
    assert list(found["classes"]["counts"]) == [r"For\xeat", "River"]
    reason = r"For\xeat/For\xeat9.png: starts with b'torn'"
    assert found["refused"] == {r"For\xeat/For\xeat9": reason}
    assert "already finished" in call(*embed(root, "--max-invalid", "0.1"))
