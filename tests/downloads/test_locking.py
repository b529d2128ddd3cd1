"""One process holds a file; who comes late looks again."""

import pytest

from featbank.downloads import locking
from featbank.downloads.locking import held
from featbank.errors import LinkError, LockedError


def test_a_held_file_cannot_be_held_again(tmp_path):
    with held(tmp_path / "a.part"), pytest.raises(LockedError, match="a.part: another process"):
        held(tmp_path / "a.part").__enter__()


def test_a_file_that_was_left_can_be_held_again(tmp_path):
    with held(tmp_path / "a.part"):
        pass
    with held(tmp_path / "a.part") as file:
        assert not file.closed


def test_a_file_renamed_between_opening_and_locking_is_not_taken_for_the_new_one(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.part"
    take = locking._take

    def rename_first(file, held_path):
        monkeypatch.setattr(locking, "_take", take)
        path.rename(tmp_path / "a")
        take(file, held_path)

    monkeypatch.setattr(locking, "_take", rename_first)
    with held(path) as file:
        file.write(b"part")
    assert (tmp_path / "a").read_bytes() == b""
    assert path.read_bytes() == b"part"


def test_a_link_in_the_place_of_a_part_is_not_written_through(tmp_path):
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "a.part").symlink_to(tmp_path / "victim")
    with pytest.raises(LinkError, match="a.part: is a symbolic link"):
        held(tmp_path / "a.part").__enter__()
    assert (tmp_path / "victim").read_bytes() == b"precious"
