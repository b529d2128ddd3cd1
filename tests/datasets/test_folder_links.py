"""Links, pipes and closed folders inside a folder of images: followed, counted, or refused."""

import os
import socket

import pytest
from made_folders import braced, make_folder

from featbank.datasets import DATASETS, DatasetRequest, _folder_listing
from featbank.errors import DatasetError, ReadError


def open_folder(root, **more):
    return DATASETS["folder"].open(DatasetRequest(root=root, **more))


def ids(root):
    return list(open_folder(root).samples.ids)


def told(root):
    return "; ".join(open_folder(root).notes)


@pytest.fixture
def pool(tmp_path):
    """Images outside of the folder that is opened."""
    return make_folder(tmp_path / "pool", braced("{x,y}.png deep/z.png"))


@pytest.fixture
def root(tmp_path):
    return make_folder(tmp_path / "root", braced("{Forest,River}/a.png"))


def test_linked_files_are_read(root, pool):
    (root / "Forest" / "x.png").symlink_to(pool / "x.png")
    assert ids(root) == ["Forest/a", "Forest/x", "River/a"]
    image = open_folder(root).reader.read(1)["image"]
    assert image.shape == (3, 8, 8)


def test_linked_class_folders_are_read(root, pool):
    (root / "Pool").symlink_to(pool)
    assert ids(root) == ["Forest/a", "Pool/deep/z", "Pool/x", "Pool/y", "River/a"]


def test_linked_folders_inside_a_class_are_read(root, pool):
    (root / "Forest" / "more").symlink_to(pool)
    assert ids(root) == [
        *("Forest/a", "Forest/more/deep/z", "Forest/more/x", "Forest/more/y", "River/a")
    ]


def test_links_inside_linked_folders_are_read(root, pool, tmp_path):
    make_folder(tmp_path / "other", ["w.png"])
    (pool / "further").symlink_to(tmp_path / "other")
    (root / "Forest" / "more").symlink_to(pool)
    assert "Forest/more/further/w" in ids(root)


@pytest.mark.parametrize("target", [".", "..", "../..", "../../.."])
def test_a_link_that_leads_back_is_said_and_not_followed(root, target):
    (root / "Forest" / "again").symlink_to(target)
    assert ids(root) == ["Forest/a", "River/a"]
    assert "1 link leads back and is not followed (Forest/again)" in told(root)


def test_a_link_from_the_top_to_the_whole_is_no_class(root):
    (root / "all").symlink_to(".")
    assert ids(root) == ["Forest/a", "River/a"]
    assert "1 link leads back" in told(root)


def test_links_around_a_circle_end(root, pool, tmp_path):
    other = make_folder(tmp_path / "other", ["w.png"])
    (pool / "to_other").symlink_to(other)
    (other / "to_pool").symlink_to(pool)
    (root / "Forest" / "more").symlink_to(pool)
    found = ids(root)
    assert sorted(found) == sorted(set(found))
    assert len(found) == 6


def test_a_folder_reached_twice_is_read_once_under_its_own_path(root):
    """The link's name stands first in order; the folder's own path still wins."""
    make_folder(root / "River", braced("zones/{p,q}.png"))
    (root / "River" / "first").symlink_to("zones")
    assert ids(root) == ["Forest/a", "River/a", "River/zones/p", "River/zones/q"]
    assert "1 folder is reached twice and read once (River/first is River/zones)" in told(root)


def test_a_class_that_is_another_one_by_a_link_is_refused(root):
    (root / "Wald").symlink_to("Forest")
    with pytest.raises(DatasetError, match=r"Wald: .*no image \(Wald is Forest, which is read al"):
        open_folder(root)


def test_a_split_that_is_another_one_by_a_link_is_refused(tmp_path):
    root = make_folder(
        tmp_path / "root", [*braced("{train,test}/{Forest,River}/a.png"), "val -> test"]
    )
    with pytest.raises(DatasetError, match=r"val: this split folder .*val is test, which is read"):
        open_folder(root)


def test_links_that_lead_nowhere_are_counted_and_said(root):
    for name in ("gone.png", "lost.png"):
        (root / "Forest" / name).symlink_to(f"/nowhere/{name}")
    (root / "Forest" / "self.png").symlink_to("self.png")
    assert ids(root) == ["Forest/a", "River/a"]
    assert "3 links lead nowhere (Forest/gone.png)" in told(root)


def test_a_class_of_links_that_lead_nowhere_is_refused(root):
    make_folder(root, ["Bare/a.png -> /nowhere/a.png"])
    with pytest.raises(DatasetError, match=r"Bare: .*no image \(1 link that leads nowhere\)"):
        open_folder(root)


def test_pipes_and_sockets_are_never_opened(root):
    os.mkfifo(root / "Forest" / "pipe.png")
    os.mkfifo(root / "Forest" / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(root / "Forest")  # A socket's path is at most 107 bytes.
        server.bind("s.png")
        os.chdir(here)
    assert ids(root) == ["Forest/a", "River/a"]
    assert "2 pipes never opened" in told(root)
    assert "1 socket never opened" in told(root)


def test_a_link_to_a_device_is_never_opened(root):
    (root / "Forest" / "zero.png").symlink_to("/dev/zero")
    assert "1 device never opened" in told(root)


def test_a_folder_named_like_an_image_is_a_folder(root):
    make_folder(root, ["Forest/tiles.png/b.png"])
    assert "Forest/tiles.png/b" in ids(root)


def closed(monkeypatch, error):
    scan = os.scandir

    def refusing(place):
        if str(place).endswith("River"):
            raise error
        return scan(place)

    monkeypatch.setattr(_folder_listing.os, "scandir", refusing)


def test_a_folder_that_must_not_be_read_is_one_line(root, monkeypatch):
    closed(monkeypatch, PermissionError(13, "Permission denied"))
    with pytest.raises(DatasetError, match=r"River: this folder must not be read \(Permission"):
        open_folder(root)


def test_a_failing_disk_is_one_line(root, monkeypatch):
    closed(monkeypatch, OSError(5, "Input/output error"))
    with pytest.raises(ReadError, match=r"River: cannot be read \(Input/output error\)"):
        open_folder(root)


def test_files_that_hold_an_image_under_another_suffix_are_counted(root):
    image = (root / "Forest" / "a.png").read_bytes()
    for name in ("b.dat", "c.dat", "d"):
        (root / "River" / name).write_bytes(image)
    (root / "River" / "e.dat").write_bytes(b"RIFF\0\0\0\0WEBPVP8 ")
    (root / "River" / "f.dat").write_bytes(b"something else")
    assert told(root) == (
        "5 of 7 files are not read: 4 .dat, 1 without suffix; "
        "4 of them begin as images do (River/b.dat)"
    )


def test_no_more_than_some_thousand_files_are_looked_into(root, monkeypatch):
    monkeypatch.setattr(_folder_listing, "_MOST_LOOKED_INTO", 2)
    for number in range(5):
        (root / "River" / f"{number}.dat").write_bytes(b"\x89PNG")
    assert "5 of 7 files are not read: 5 .dat; 2 of them begin" in told(root)
