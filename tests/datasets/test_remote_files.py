"""What publishers offer: every value has the form that fetching relies on."""

import re

import pytest

from featbank.datasets import _remote_files
from featbank.remote import RemoteFile

FILES = [
    file for files in vars(_remote_files).values() if isinstance(files, tuple) for file in files
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_can_be_checked(file):
    assert isinstance(file, RemoteFile)
    assert file.url.startswith("https://")
    assert re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.checksum)
    assert bool(file.makes) == file.unpack


def test_no_name_clashes_inside_a_family():
    for family in (
        "zenodo.org/records/12687186",
        "zenodo.org/records/10891137",
        "torchgeo/eurosat",
    ):
        names = [file.name for file in FILES if family in file.url]
        assert len(names) == len(set(names)) > 0
