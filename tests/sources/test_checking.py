"""A copy is whole, a part, or broken; every chip is read, every listed file compared."""

import csv
import gzip
import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from fake_chips import write_chips

from featbank.datasets import DATASETS, DatasetRequest
from featbank.errors import DatasetError, MissingPathError, UsageError
from featbank.sources import checking
from featbank.sources.checking import check_dataset


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    monkeypatch.setattr(checking, "_cores", lambda: 1)


def list_files(root, target, *, prefix="published/"):
    """Write a manifest of a folder, as a publisher would."""
    opened = gzip.open if target.suffix == ".gz" else open
    with opened(target, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "bytes", "sha256"))
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            content = path.read_bytes()
            name = prefix + path.relative_to(root).as_posix()
            writer.writerow((name, len(content), hashlib.sha256(content).hexdigest()))
    return target


def test_a_good_folder_is_all_good(chips):
    report = check_dataset(str(chips))
    assert not report.is_broken
    assert report.verdict == "24 samples, all good"
    assert report.splits == {"random-0": {"train": 15, "val": 3, "test": 6}}
    assert report.notes == (
        "no split lists are here; random-0 to random-4 are drawn: stratified-0 to stratified-4",
    )


def test_every_chip_is_read(tmp_path):
    """More chips than a look at a sample would see, one of them bad."""
    folder = write_chips(tmp_path / "many", classes=2, chips=160, side_px=8)
    victim = folder / "class1" / "133.png"
    victim.write_bytes(victim.read_bytes()[:60])
    report = check_dataset(str(folder))
    assert list(report.refused) == ["class1/133"]
    assert report.verdict == "broken: 1 of 320 chips refused (320 samples)"


def test_each_refused_chip_has_its_reason(chips):
    (chips / "class0" / "03.png").write_text("torn")
    (chips / "class2" / "05.png").write_bytes(b"")
    report = check_dataset(str(chips))
    assert report.is_broken
    assert report.refused["class0/03"] == "class0/03.png: starts with b'torn'"
    assert "class2/05" in report.refused


def test_progress_reaches_every_chip(chips):
    seen = []
    check_dataset(str(chips), progress=lambda *step: seen.append(step))
    assert seen[-1] == ("checking chips", 24, 24)


def test_a_computed_dataset_is_checked_too():
    report = check_dataset("synthetic-s2", chips=40)
    assert report.verdict == "40 samples, all good"
    assert report.root is None


def test_real_chips_are_all_good(eurosat100):
    assert check_dataset(str(eurosat100)).verdict == "100 samples, all good"


@pytest.mark.parametrize(
    ("expected", "verdict"),
    [
        ((24,), "whole: 24 samples, all good"),
        ((24, 590_326), "whole: 24 samples, all good"),
        ((590_326,), "a part: 24 of 590,326 samples, all good"),
        ((480_038, 590_326), "a part: 24 of 480,038 or 590,326 samples, all good"),
        ((20,), "more than was published: 24 of 20 samples, all good"),
    ],
)
def test_how_much_of_a_named_dataset_is_here(chips, monkeypatch, expected, verdict):
    folder = DATASETS["folder"]

    def opened(request):
        return replace(folder.open(request), name="named")

    spec = replace(folder, name="named", expected_samples=expected, open=opened)
    known = {**DATASETS, "named": spec}
    monkeypatch.setattr(checking, "DATASETS", known)
    monkeypatch.setattr("featbank.sources.opening.DATASETS", known)
    report = check_dataset("named", chips)
    assert report.verdict == verdict
    assert not report.is_broken


def test_excluded_samples_are_counted_by_reason(chips, monkeypatch):
    def opened(name, **_):
        dataset = DATASETS["folder"].open(DatasetRequest(root=chips))
        marks = np.array(["snow"] * 3 + ["cloud"] + [""] * 20)
        return replace(dataset, samples=replace(dataset.samples, exclude=marks))

    monkeypatch.setattr(checking, "open_dataset", opened)
    assert check_dataset(str(chips)).excluded == {"snow": 3, "cloud": 1}


@pytest.mark.parametrize("name", ["list.csv", "list.csv.gz"])
def test_files_that_are_the_publisher_s(chips, tmp_path, name):
    report = check_dataset(str(chips), manifest=list_files(chips, tmp_path / name))
    assert (report.manifest.listed, report.manifest.same, report.manifest.unlisted) == (24, 24, 0)
    assert not report.is_broken


def test_a_tampered_file_is_named(chips, tmp_path):
    manifest = list_files(chips, tmp_path / "list.csv")
    shutil.copy(chips / "class0" / "01.png", chips / "class0" / "00.png")
    longer = chips / "class1" / "02.png"
    longer.write_bytes(longer.read_bytes() + b"more")
    report = check_dataset(str(chips), manifest=manifest)
    assert sorted(report.manifest.wrong) == ["class0/00.png", "class1/02.png"]
    assert report.verdict.startswith("broken: 2 of 24 listed files altered")
    # Every chip still decodes: only the manifest knows.
    assert not report.refused


def test_a_file_of_the_same_size_with_other_bytes_differs(chips, tmp_path):
    manifest = list_files(chips, tmp_path / "list.csv")
    victim = chips / "class0" / "00.png"
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    why = check_dataset(str(chips), manifest=manifest).manifest.wrong["class0/00.png"]
    assert why.startswith("sha256 ")


def test_a_part_of_the_listed_files_is_not_broken(chips, tmp_path):
    manifest = list_files(chips, tmp_path / "list.csv")
    shutil.rmtree(chips / "class2")
    report = check_dataset(str(chips), manifest=manifest)
    assert (report.manifest.listed, report.manifest.same) == (24, 16)
    assert not report.is_broken


def test_files_that_nobody_listed_are_counted(chips, tmp_path):
    manifest = list_files(chips, tmp_path / "list.csv")
    shutil.copy(chips / "class0" / "01.png", chips / "class0" / "new.png")
    assert check_dataset(str(chips), manifest=manifest).manifest.unlisted == 1


def test_a_manifest_of_something_else_is_broken(chips, tmp_path):
    write_chips(tmp_path / "other" / "deeper", classes=1)
    manifest = list_files(tmp_path / "other", tmp_path / "list.csv")
    shutil.move(chips / "class0", chips / "class9")
    report = check_dataset(str(chips), manifest=manifest)
    assert report.is_broken
    assert "none of the 8 files that the manifest lists is here" in report.verdict


def test_of_two_lines_that_match_the_nearer_counts(chips, tmp_path):
    """Two published sets may share class folders and file names."""
    (tmp_path / "root").mkdir()
    shutil.move(chips, tmp_path / "root" / "right")
    manifest = list_files(tmp_path / "root", tmp_path / "list.csv")
    true = manifest.read_text()
    other = [line.replace("right", "left")[:-8] + "00000000" for line in true.splitlines()[1:]]
    manifest.write_text(true + "\n".join(other))
    report = checking.compare_manifest(manifest, tmp_path / "root", workers=1)
    assert (report.same, report.wrong) == (24, {})


def test_the_real_manifest_fits_real_files(shared, eurosat100):
    manifest = shared / "data" / "eurosat_tables" / "eurosat_sha256_manifest.csv.gz"
    report = check_dataset(str(eurosat100), manifest=manifest)
    assert (report.manifest.listed, report.manifest.same) == (54_605, 100)
    rgb = shared / "data" / "fixtures_real" / "EuroSAT_RGB"
    assert check_dataset(str(rgb), manifest=manifest).manifest.same == 3


def test_a_tampered_copy_of_real_files_is_seen(shared, tmp_path):
    copy = tmp_path / "EuroSAT_RGB"
    shutil.copytree(
        shared / "data" / "fixtures_real" / "EuroSAT_RGB", copy, copy_function=shutil.copyfile
    )
    victim = copy / "SeaLake" / "SeaLake_3000.jpg"
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 255
    victim.write_bytes(data)
    manifest = shared / "data" / "eurosat_tables" / "eurosat_sha256_manifest.csv.gz"
    report = check_dataset(str(copy), manifest=manifest)
    assert list(report.manifest.wrong) == ["SeaLake/SeaLake_3000.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        "name,size\na,1\n",
        "path,bytes,sha256\na,many,00\n",
        "path,bytes,sha256\na,1,00\n",
        "path\na",
    ],
)
def test_a_manifest_that_makes_no_sense_is_named(chips, tmp_path, text):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DatasetError, match="list.csv: is no manifest"):
        check_dataset(str(chips), manifest=tmp_path / "list.csv")


def test_a_manifest_that_is_not_there_is_named(chips, tmp_path):
    with pytest.raises(MissingPathError, match="there is no such file; expected a manifest"):
        check_dataset(str(chips), manifest=tmp_path / "gone.csv")


def test_a_computed_dataset_has_no_manifest(tmp_path):
    with pytest.raises(UsageError, match="--manifest: dataset 'synthetic-s2' has no files"):
        check_dataset("synthetic-s2", chips=4, manifest=tmp_path)


def test_the_report_travels_as_json(chips, tmp_path):
    (chips / "class0" / "03.png").write_text("torn")
    report = check_dataset(str(chips), manifest=list_files(chips, tmp_path / "list.csv"))
    row = json.loads(json.dumps(report.as_row()))
    assert row["is_broken"] is True
    assert row["n"] == 24
    assert row["manifest"]["same"] == 24
