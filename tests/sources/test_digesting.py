import hashlib
import os
import shutil

import numpy as np
import pytest
from fake_dataset import radar
from fixed_size_chips import write_chip, write_folder

from featbank.datasets import DATASETS, DatasetRequest
from featbank.errors import ReadError
from featbank.sources import digesting
from featbank.sources.digesting import sample_digest, with_digests
from featbank.sources.selection import fingerprint, with_bands, with_rows


def opened(folder):
    return DATASETS["folder"].open(DatasetRequest(root=folder))


def digests(folder, bank, **more):
    samples = with_digests(opened(folder), bank, **more).samples
    return dict(zip(samples.ids.tolist(), samples.digests.tolist(), strict=True))


@pytest.fixture
def read(monkeypatch):
    """Paths of the files that are read, as they are."""
    paths = []
    whole = digesting._read

    def noted(path):
        paths.append(os.path.basename(path))
        return whole(path)

    monkeypatch.setattr(digesting, "_read", noted)
    return paths


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "chips")


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Change times cannot be set, so that files count as settled at once."""
    monkeypatch.setattr("featbank.bank.digest_cache._TICK_NS", -(10**12))
    monkeypatch.setattr("featbank.bank.digest_cache._COARSE_TICK_NS", -(10**12))
    monkeypatch.setattr(digesting, "_WAITS_S", (0.0,))


def test_a_file_alone_is_known_by_its_own_sha256(folder, tmp_path):
    whole = (folder / "class0" / "03.tif").read_bytes()
    found = digests(folder, tmp_path / "bank")
    assert found["class0/03"] == hashlib.sha256(whole).hexdigest()


def test_a_repeat_reads_no_file(folder, tmp_path, read):
    first = digests(folder, tmp_path / "bank")
    assert len(read) == 16
    read.clear()
    assert digests(folder, tmp_path / "bank") == first
    assert read == []


def test_only_changed_files_are_read_again(folder, tmp_path, read):
    digests(folder, tmp_path / "bank")
    read.clear()
    write_chip(folder / "class1" / "05.tif", 900)
    digests(folder, tmp_path / "bank")
    assert read == ["05.tif"]


def test_an_edit_that_keeps_size_and_time_is_noticed(folder, tmp_path):
    before = digests(folder, tmp_path / "bank")
    path = folder / "class1" / "05.tif"
    told = path.stat()
    with path.open("r+b") as file:
        file.seek(300)
        file.write(b"\1\2\3")
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    after = digests(folder, tmp_path / "bank")
    assert [name for name in after if after[name] != before[name]] == ["class1/05"]


def test_a_file_that_may_still_change_in_its_tick_is_read_again(
    folder, tmp_path, read, monkeypatch
):
    monkeypatch.setattr("featbank.bank.digest_cache._TICK_NS", 10**15)
    monkeypatch.setattr("featbank.bank.digest_cache._COARSE_TICK_NS", 10**15)
    digests(folder, tmp_path / "bank")
    digests(folder, tmp_path / "bank")
    assert len(read) == 32


@pytest.mark.parametrize(
    "name",
    ["00.tif.aux.xml", "00.tif.msk"],
)
def test_a_file_beside_the_image_counts(folder, tmp_path, name):
    before = digests(folder, tmp_path / "bank")
    side = folder / "class0" / name
    side.write_text("1")
    one = digests(folder, tmp_path / "bank")
    side.write_text("2")
    other = digests(folder, tmp_path / "bank")
    side.unlink()
    assert len({before["class0/00"], one["class0/00"], other["class0/00"]}) == 3
    assert digests(folder, tmp_path / "bank") == before
    assert [name for name in one if one[name] != before[name]] == ["class0/00"]


def test_what_a_side_file_is_counts_and_its_name_does_not(tmp_path):
    shas = {"/a/x.tif": "1", "/a/x.tif.msk": "2", "/b/y.tiff": "1", "/b/y.tiff.MSK": "2"}
    shas |= {"/a/x.tif.aux.xml": "2", "/a/x.msk": "2"}
    one = sample_digest(("/a/x.tif", "/a/x.tif.msk"), shas)
    assert one == sample_digest(("/b/y.tiff", "/b/y.tiff.MSK"), shas)
    assert one != sample_digest(("/a/x.tif", "/a/x.tif.aux.xml"), shas)
    assert one != sample_digest(("/a/x.tif", "/a/x.msk"), shas)
    assert one != sample_digest(("/a/x.tif", "/a/none.msk"), shas)


def test_files_of_a_patch_count_in_the_order_in_which_they_are_read():
    shas = {"/a/p_B02.tif": "1", "/a/p_B03.tif": "2", "/c/q_B02.tif": "1", "/c/q_B03.tif": "2"}
    one = sample_digest(("/a/p_B02.tif", "/a/p_B03.tif"), shas)
    assert one == sample_digest(("/c/q_B02.tif", "/c/q_B03.tif"), shas)
    assert one != sample_digest(("/a/p_B03.tif", "/a/p_B02.tif"), shas)


def test_names_and_places_do_not_count(folder, tmp_path):
    before = sorted(digests(folder, tmp_path / "bank").values())
    (folder / "class0" / "00.tif").rename(folder / "class1" / "new.tiff")
    moved = folder.rename(tmp_path / "elsewhere")
    assert sorted(digests(moved, tmp_path / "bank").values()) == before
    assert fingerprint(with_digests(opened(moved), tmp_path / "bank").samples)


def test_a_file_that_is_gone_has_a_digest_of_its_own(folder, tmp_path):
    dataset = opened(folder)
    (folder / "class0" / "00.tif").unlink()
    found = with_digests(dataset, tmp_path / "bank").samples.digests.tolist()
    assert len(set(found)) == 16


def test_a_file_that_cannot_be_read_stops_the_run_by_name(folder, tmp_path, monkeypatch):
    def broken(path):
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(digesting, "_read", broken)
    with pytest.raises(ReadError, match=r"00\.tif: cannot be read \(Input/output error\)"):
        digests(folder, tmp_path / "bank")


def test_a_file_that_changes_while_it_is_read_is_read_again(folder, tmp_path, monkeypatch):
    left = [True]
    fstat = os.fstat

    def changing(descriptor):
        if left:
            left.pop()
            write_chip(folder / "class0" / "00.tif", 77)
            with (folder / "class0" / "00.tif").open("ab") as file:
                file.write(b"more")
            return os.stat_result((0,) * 10)
        return fstat(descriptor)

    monkeypatch.setattr(digesting.os, "fstat", changing)
    found = digests(folder, tmp_path / "bank")
    monkeypatch.undo()
    whole = (folder / "class0" / "00.tif").read_bytes()
    assert found["class0/00"] == hashlib.sha256(whole).hexdigest()


def test_threads_give_what_one_gives(tmp_path, monkeypatch):
    root = write_folder(tmp_path / "chips", chips=400)
    alone = digests(root, tmp_path / "one")
    monkeypatch.setattr(digesting, "_LONG_S", -1.0)
    assert digests(root, tmp_path / "many") == alone


def test_progress_ends_at_all_bytes(folder, tmp_path):
    steps = []
    digests(folder, tmp_path / "bank", progress=lambda *step: steps.append(step))
    whole = sum(path.stat().st_size for path in folder.rglob("*.tif"))
    assert steps[-1][1:] == (whole, whole)


def test_bands_and_rows_are_of_the_same_files(folder, tmp_path):
    whole = with_digests(opened(folder), tmp_path / "bank").samples.digests
    some = with_rows(with_bands(opened(folder), "red"), np.array([9, 2]))
    assert with_digests(some, tmp_path / "bank").samples.digests.tolist() == whole[[9, 2]].tolist()


def test_computed_chips_are_known_by_their_origin(tmp_path):
    spec = DATASETS["synthetic-rgb"]
    few, more = (spec.open(DatasetRequest(chips=count)) for count in (3, 4))
    few, more = (with_digests(each, tmp_path / "bank").samples.digests for each in (few, more))
    assert few.tolist() == more[:3].tolist()
    assert len(set(more.tolist())) == 4
    assert (
        few[0]
        == hashlib.sha256(
            str(spec.open(DatasetRequest(chips=1)).samples.origins[0]).encode()
        ).hexdigest()
    )
    assert not (tmp_path / "bank").exists()


def test_a_publishers_archive_is_known_by_its_names(shared, tmp_path):
    root = shared / "data" / "bigearthnet_v1"
    dataset = DATASETS["bigearthnet-s1"].open(DatasetRequest(root=root))
    assert digesting.fingerprint_of(dataset) == "names"
    assert len(set(with_digests(dataset, tmp_path / "bank").samples.digests)) == len(
        dataset.samples
    )
    assert not (tmp_path / "bank").exists()


def test_a_patchs_files_are_those_that_are_read(shared):
    root = shared / "data" / "bigearthnet_v1"
    reader = DATASETS["bigearthnet-s1s2"].open(DatasetRequest(root=root)).reader
    files = reader.files(0)
    assert len(files) == 14
    assert all(os.path.isfile(path) for path in files)


def test_images_whose_reader_names_no_files_are_told(tmp_path):
    from dataclasses import replace

    dataset = replace(radar(), root=tmp_path)
    assert "an edit in place is not noticed" in digesting.unnamed_files_note(dataset)
    assert digesting.unnamed_files_note(radar()) == ""
    assert with_digests(dataset, tmp_path / "bank").samples.digests is not None


def test_a_copy_of_the_bank_is_no_part_of_a_digest(folder, tmp_path):
    first = digests(folder, tmp_path / "bank")
    shutil.copytree(tmp_path / "bank", tmp_path / "other")
    assert digests(folder, tmp_path / "other") == first
