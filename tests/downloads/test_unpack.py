"""Unpacking good archives whole, bad ones not at all."""

import bz2
import contextlib
import gzip
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import namedtuple

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from featbank.downloads import space
from featbank.downloads import unpack as unpacking
from featbank.downloads.unpack import unpack
from featbank.errors import DownloadError, LockedError

NOISE = np.random.default_rng(0).bytes(70_000)
FILES = {
    "set/a/one.tif": NOISE,
    "set/b/two.tif": NOISE[:100],
    "set/b/empty.txt": b"",
    "top.csv": b"x",
}
PACKERS = {
    "tar": lambda data: data,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}


def tar_bytes(*members):
    """A tar file of (name, content) pairs or ready TarInfo records."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def write_archive(folder, kind, files):
    folder.mkdir(exist_ok=True)
    path = folder / f"set.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        path.write_bytes(PACKERS[kind](tar_bytes(*files.items())))
    return path


def tree(folder):
    """Content by path, of everything but the archive."""
    files = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {name: content for name, content in found.items() if not name.startswith("set.")}


@pytest.fixture(params=[*PACKERS, "zip"])
def kind(request):
    return request.param


def test_every_file_arrives(tmp_path, kind):
    made = unpack(write_archive(tmp_path, kind, FILES), tmp_path)
    assert tree(tmp_path) == FILES
    assert [path.name for path in made] == ["set", "top.csv"]


def test_an_archive_made_by_tar_itself_unpacks(tmp_path):
    for name, content in FILES.items():
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_bytes(content)
    subprocess.run(
        ["tar", "-czf", tmp_path / "set.tar.gz", "-C", tmp_path / "from", "."], check=True
    )
    (tmp_path / "to").mkdir()
    unpack(tmp_path / "set.tar.gz", tmp_path / "to")
    assert tree(tmp_path / "to") == FILES


def test_nothing_else_is_left(tmp_path, kind):
    archive = write_archive(tmp_path, kind, FILES)
    unpack(archive, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["set", archive.name, "top.csv"]
    )


def test_progress_ends_with_the_archive_s_bytes(tmp_path, kind):
    archive, seen = write_archive(tmp_path, kind, FILES), []
    unpack(archive, tmp_path, progress=lambda done, total: seen.append((done, total)))
    done, total = seen[-1]
    assert total == archive.stat().st_size
    # A zip file's directory stands behind its members and is read first.
    assert done == total or kind == "zip"
    assert seen == sorted(seen)


def test_several_zstandard_frames_are_one_stream(tmp_path):
    data = tar_bytes(*FILES.items())
    frames = [PACKERS["tar.zst"](data[at : at + 9000]) for at in range(0, len(data), 9000)]
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"size"
    (tmp_path / "set.tar.zst").write_bytes(skippable + skippable.join(frames))
    unpack(tmp_path / "set.tar.zst", tmp_path)
    assert tree(tmp_path) == FILES


def assert_untouched(archive, folder, match, error=DownloadError):
    before = tree(folder)
    with pytest.raises(error, match=match):
        unpack(archive, folder)
    assert tree(folder) == before
    assert [path.name for path in folder.iterdir() if path.name.startswith(".set")] == []


UP = "outside the folder"
OUTSIDE = {
    "..": (("../evil", b"x"), UP),
    "deep ..": (("set/../../evil", b"x"), UP),
    "absolute": (("/tmp/evil", b"x"), UP),
    "backslash": (("..\\evil", b"x"), UP),
    "drive": (("C:/evil", b"x"), UP),
    "symlink up": (special("set/link", tarfile.SYMTYPE, "../../evil"), UP),
    "symlink absolute": (special("link", tarfile.SYMTYPE, "/etc/passwd"), UP),
    "symlink to folder": (special("link", tarfile.SYMTYPE, "set"), "no file inside"),
    "symlink to nothing": (special("link", tarfile.SYMTYPE, "gone"), "no file inside"),
    "hardlink up": (special("link", tarfile.LNKTYPE, "../evil"), UP),
    "hardlink absolute": (special("link", tarfile.LNKTYPE, "/etc/passwd"), UP),
    "device": (special("null", tarfile.CHRTYPE), "neither a file"),
    "block device": (special("disk", tarfile.BLKTYPE), "neither a file"),
    "pipe": (special("pipe", tarfile.FIFOTYPE), "neither a file"),
    "twice": (("set/a/one.tif", b"other"), "each once"),
    "file as folder": (("set/a/one.tif/x", b"other"), "cannot be written"),
    "endless name": (("set/" + "x" * 300, b"other"), "File name too long"),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_an_unsafe_member_is_refused_by_name(tmp_path, case):
    member, words = OUTSIDE[case]
    name = member[0] if isinstance(member, tuple) else member.name
    folder = tmp_path / "in"
    folder.mkdir()
    archive = folder / "set.tar"
    archive.write_bytes(tar_bytes(*FILES.items(), member))
    assert_untouched(archive, folder, words)
    with pytest.raises(DownloadError) as caught:
        unpack(archive, folder)
    assert f"member '{name}'" in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_chain_of_links_leads_nowhere(tmp_path):
    """A link to a folder, then a file through it: the second would be written elsewhere."""
    (tmp_path / "in").mkdir()
    archive = tmp_path / "in" / "set.tar"
    archive.write_bytes(tar_bytes(special("link", tarfile.SYMTYPE, "a/../.."), ("link/evil", b"x")))
    assert_untouched(archive, tmp_path / "in", "outside the folder")
    assert not (tmp_path / "evil").exists()


def test_links_to_files_inside_become_files(tmp_path):
    links = (
        special("set/b/same.tif", tarfile.SYMTYPE, "two.tif"),
        special("hard.tif", tarfile.LNKTYPE, "set/a/one.tif"),
    )
    (tmp_path / "set.tar").write_bytes(tar_bytes(*FILES.items(), *links))
    unpack(tmp_path / "set.tar", tmp_path)
    assert tree(tmp_path) == {**FILES, "set/b/same.tif": NOISE[:100], "hard.tif": NOISE}
    assert not (tmp_path / "set/b/same.tif").is_symlink()


def test_a_zip_link_is_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert_untouched(tmp_path / "set.zip", tmp_path, "member 'link'.*neither a file")


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil"])
def test_a_zip_member_outside_is_refused(tmp_path, name):
    write_archive(tmp_path, "zip", {"good": b"x", name: b"y"})
    assert_untouched(tmp_path / "set.zip", tmp_path, UP)


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = write_archive(tmp_path, "zip", {"good": b"x"})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert_untouched(archive, tmp_path, "good is encrypted")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.zst"])
def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(unpacking, "_HARMLESS_BYTES", 1_000_000)
    archive = write_archive(tmp_path, kind, {f"{n}.bin": bytes(2_000_000) for n in range(9)})
    assert_untouched(archive, tmp_path, "at most 200 times its size")


def test_a_small_archive_of_padding_is_no_bomb(tmp_path, kind):
    archive = write_archive(tmp_path, kind, {"zeros.bin": bytes(3_000_000)})
    unpack(archive, tmp_path)
    assert tree(tmp_path) == {"zeros.bin": bytes(3_000_000)}


def test_an_archive_larger_than_the_disk_is_refused(tmp_path, kind, monkeypatch):
    archive = write_archive(tmp_path, kind, FILES)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 69_999))
    assert_untouched(archive, tmp_path, "70.* kB more on the disk")


def test_a_cut_off_archive_is_damaged(tmp_path, kind):
    archive = write_archive(tmp_path, kind, FILES)
    data = archive.read_bytes()
    for share in (0.5, 0.88):
        archive.write_bytes(data[: int(len(data) * share)])
        assert_untouched(archive, tmp_path, "is damaged")


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.zst"])
def test_a_lost_last_byte_is_damage(tmp_path, kind):
    archive = write_archive(tmp_path, kind, FILES)
    archive.write_bytes(archive.read_bytes()[:-1])
    assert_untouched(archive, tmp_path, "is damaged")


def test_a_tar_cut_off_between_members_is_damaged(tmp_path):
    archive = write_archive(tmp_path, "tar", FILES)
    archive.write_bytes(archive.read_bytes()[: 512 + 70_144])
    assert_untouched(archive, tmp_path, "is damaged")


def test_a_tar_with_a_broken_header_inside_is_damaged(tmp_path):
    archive = write_archive(tmp_path, "tar", FILES)
    data = bytearray(archive.read_bytes())
    data[512 + 70_144 + 20] ^= 1
    archive.write_bytes(data)
    assert_untouched(archive, tmp_path, "a member's header makes no sense")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.zst"])
def test_a_flipped_bit_is_damage(tmp_path, kind):
    archive = write_archive(tmp_path, kind, FILES)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 4
    archive.write_bytes(data)
    assert_untouched(archive, tmp_path, "is damaged")


@given(st.binary(max_size=3000), st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b""]))
def test_any_bytes_unpack_or_are_named(tmp_path_factory, data, head):
    folder = tmp_path_factory.mktemp("any")
    (folder / "set.bin").write_bytes(head + data)
    with contextlib.suppress(DownloadError):
        unpack(folder / "set.bin", folder)


@given(st.randoms(use_true_random=False), st.sampled_from([*PACKERS, "zip"]))
def test_a_damaged_archive_gives_true_files_or_an_error(tmp_path_factory, random_, kind):
    folder = tmp_path_factory.mktemp("hit")
    archive = write_archive(folder, kind, {"a.bin": NOISE[:5000], "b.bin": NOISE[5000:6000]})
    data = bytearray(archive.read_bytes())
    for _ in range(3):
        data[random_.randrange(len(data))] = random_.randrange(256)
    archive.write_bytes(data)
    with contextlib.suppress(DownloadError):
        unpack(archive, folder)
    assert not list(folder.glob(".set*"))


def test_a_file_that_is_no_archive_is_named(tmp_path):
    (tmp_path / "set.tar").write_text("<html>please log in</html>")
    assert_untouched(tmp_path / "set.tar", tmp_path, "starts with b'<htm'; expected a zip or tar")


def test_other_content_is_never_overwritten(tmp_path, kind):
    (tmp_path / "set/b").mkdir(parents=True)
    (tmp_path / "set/b/two.tif").write_bytes(b"mine")
    archive = write_archive(tmp_path, kind, FILES)
    assert_untouched(archive, tmp_path, "set/b/two.tif: is there already, with other content")


def test_what_is_there_and_the_same_is_completed(tmp_path, kind):
    (tmp_path / "set/b").mkdir(parents=True)
    (tmp_path / "set/b/two.tif").write_bytes(NOISE[:100])
    (tmp_path / "set/mine.txt").write_text("mine")
    unpack(write_archive(tmp_path, kind, FILES), tmp_path)
    assert tree(tmp_path) == {**FILES, "set/mine.txt": b"mine"}


def test_a_link_in_the_way_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "set").symlink_to(tmp_path / "elsewhere")
    archive = write_archive(tmp_path / "in", "tar", FILES)
    assert_untouched(archive, tmp_path / "in", "set: is there already")
    assert tree(tmp_path / "elsewhere") == {}


def test_the_entry_that_tells_of_the_whole_is_moved_last(tmp_path):
    archive = write_archive(tmp_path, "tar", {"b/x": b"1", "a/y": b"2", "c/z": b"3"})
    assert [path.name for path in unpack(archive, tmp_path, last="a/y")] == ["b", "c", "a"]


def test_two_processes_do_not_unpack_one_archive(tmp_path):
    archive = write_archive(tmp_path, "tar", FILES)
    met = []

    def unpack_again(done, total):
        with pytest.raises(LockedError):
            unpack(archive, tmp_path)
        met.append(done)

    unpack(archive, tmp_path, progress=unpack_again)
    assert met
    assert tree(tmp_path) == FILES


_UNPACK = """
import sys, time
from pathlib import Path
from featbank.downloads.unpack import unpack
unpack(Path(sys.argv[1]), Path(sys.argv[1]).parent, progress=lambda done, total: time.sleep(.005))
"""


def test_a_killed_run_starts_again(tmp_path):
    files = {f"set/{number}.bin": random.Random(number).randbytes(200_000) for number in range(40)}
    archive = write_archive(tmp_path, "tar.gz", files)
    victim = subprocess.Popen([sys.executable, "-c", _UNPACK, str(archive)])
    staging = tmp_path / ".set.tar.gz.unpacking"
    while not (staging / "set" / "3.bin").exists():
        assert victim.poll() is None
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    assert not (tmp_path / "set").exists()
    unpack(archive, tmp_path)
    assert tree(tmp_path) == files
    assert not list(tmp_path.glob(".set*"))
