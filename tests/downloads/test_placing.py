"""Files are told apart by their bytes, not by their dates."""

import os

import pytest

from featbank.downloads.placing import place
from featbank.errors import DownloadError


def test_equal_size_and_date_do_not_make_a_file_the_same(tmp_path):
    for folder, content in (("new", b"theirs"), ("old", b"mine..")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a").write_bytes(content)
        os.utime(tmp_path / folder / "a", (0, 0))
    with pytest.raises(DownloadError, match="with other content"):
        place(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "a").read_bytes() == b"mine.."


def test_a_file_where_a_folder_belongs_is_a_clash(tmp_path):
    (tmp_path / "new" / "a").mkdir(parents=True)
    (tmp_path / "new" / "b").write_bytes(b"")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a").write_bytes(b"mine")
    with pytest.raises(DownloadError, match="old/a: is there already"):
        place(tmp_path / "new", tmp_path / "old")
    assert not (tmp_path / "old" / "b").exists()
