"""Datasets are fetched file by file, only what is absent, and unpacked."""

import hashlib
import io
import tarfile
from dataclasses import replace

import pytest
from fake_server import Publisher, serving

from featbank.datasets import DATASETS
from featbank.downloads import fetch as fetch_module
from featbank.errors import DownloadError, MissingPathError, UnknownNameError
from featbank.remote import RemoteFile
from featbank.sources import fetching
from featbank.sources.fetching import fetch_dataset, fetch_weights
from featbank.sources.local_files import data_folder, missing_dataset


def archive(name="set/a.txt"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    return out.getvalue()


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setattr(fetch_module, "_WAITS_S", ())
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Publisher(archive())) as running:
        yield running


@pytest.fixture
def spec(publisher, monkeypatch):
    def listed(**changes):
        file = RemoteFile(name="set.tar.gz", url=publisher.url, unpack=True, makes="set")
        plain = RemoteFile(name="list.csv", url=publisher.url)
        values = {"name": "tiny", "files": (file, plain), "homepage": "https://example.org/tiny"}
        spec = replace(DATASETS["folder"], **(values | changes))
        monkeypatch.setattr(fetching, "DATASETS", {"tiny": spec})
        return spec

    return listed


def test_files_are_fetched_and_archives_unpacked(spec, tmp_path):
    spec()
    made = fetch_dataset("tiny", tmp_path / "tiny")
    assert made == [tmp_path / "tiny" / "set", tmp_path / "tiny" / "list.csv"]
    assert (tmp_path / "tiny" / "set" / "a.txt").read_text() == "hello"


def test_what_is_here_is_not_fetched_again(spec, publisher, tmp_path):
    spec()
    (tmp_path / "set").mkdir()
    assert fetch_dataset("tiny", tmp_path) == [tmp_path / "list.csv"]
    assert fetch_dataset("tiny", tmp_path) == []
    assert len(publisher.requests) == 1


def test_an_archive_that_the_user_fetched_by_hand_is_unpacked(spec, publisher, tmp_path):
    spec()
    (tmp_path / "set.tar.gz").write_bytes(archive())
    (tmp_path / "list.csv").touch()
    assert fetch_dataset("tiny", tmp_path) == [tmp_path / "set"]
    assert publisher.requests == []


def test_the_steps_are_told(spec, tmp_path):
    spec()
    steps = []
    fetch_dataset("tiny", tmp_path, lambda step, done, total: steps.append((step, done, total)))
    size = len(archive())
    for step in ("downloading set.tar.gz", "unpacking set.tar.gz", "downloading list.csv"):
        assert (step, size, size) in steps


def test_the_default_folder_is_in_the_data_folder(spec, tmp_path, monkeypatch):
    spec()
    monkeypatch.setenv("FEATBANK_DATA", str(tmp_path))
    fetch_dataset("tiny")
    assert (tmp_path / "tiny" / "set").is_dir()


def test_without_any_folder_that_is_said(spec, monkeypatch):
    monkeypatch.delenv("FEATBANK_DATA", raising=False)
    with pytest.raises(MissingPathError, match="expected --data-root or the variable"):
        data_folder(spec(), None)


def test_an_archive_without_what_it_should_make_is_an_error(spec, publisher, tmp_path):
    spec()
    publisher.content = archive("other/a.txt")
    with pytest.raises(DownloadError, match="was unpacked and brought no set"):
        fetch_dataset("tiny", tmp_path)


def test_a_dataset_that_nobody_offers_says_where_it_is(spec, tmp_path):
    spec(files=())
    with pytest.raises(DownloadError, match="by hand from https://example.org/tiny and pass"):
        fetch_dataset("tiny", tmp_path)


def test_a_computed_dataset_needs_no_download(tmp_path):
    with pytest.raises(DownloadError, match="synthetic-s2: has no files, it is computed"):
        fetch_dataset("synthetic-s2", tmp_path)


def test_an_unknown_dataset_is_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'synthetic-s2'"):
        fetch_dataset("synthetic-s22")


def test_weights_are_fetched_and_checked(publisher, tmp_path):
    checksum = f"sha256:{hashlib.sha256(publisher.content).hexdigest()}"
    file = RemoteFile(name="w.pth", url=publisher.url, checksum=checksum)
    assert fetch_weights(file, tmp_path).read_bytes() == publisher.content
    (tmp_path / "w.pth").write_bytes(b"damaged since")
    with pytest.raises(DownloadError, match="has checksum"):
        fetch_weights(file, tmp_path)


def test_a_missing_dataset_says_what_where_and_how(spec, tmp_path):
    file = RemoteFile(name="a.zip", url="", size_bytes=2_067_725_275, unpack=True, makes="ds")
    error = missing_dataset(spec(files=(file,)), tmp_path)
    assert str(error) == (
        f"tiny: is not at {tmp_path}; expected its published layout there (ds). "
        f"Run 'featbank datasets --download tiny --data-root {tmp_path}' (2.1 GB), "
        "or name its folder with --data-root if it is elsewhere."
    )


def test_a_missing_dataset_of_unknown_size_claims_none(spec, tmp_path):
    assert "GB" not in str(missing_dataset(spec(), tmp_path))


def test_a_missing_dataset_without_files_says_where_to_get_it(spec, tmp_path):
    line = str(missing_dataset(spec(files=()), tmp_path))
    assert "Get it from https://example.org/tiny, or name its folder" in line


@pytest.mark.parametrize("name", list(DATASETS))
def test_what_the_catalog_offers_can_be_told_from_what_is_here(name):
    for file in DATASETS[name].files:
        assert file.url.startswith("https://")
        assert not file.unpack or file.makes
