"""Fetching from a publisher who drops, lies, changes and hesitates; nothing half is ever left."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections import namedtuple
from io import FileIO

import numpy as np
import pytest
from fake_server import Publisher, serving

from featbank.downloads import fetch as fetching
from featbank.downloads import space
from featbank.downloads.fetch import fetch
from featbank.errors import CatalogError, DownloadError, LockedError
from featbank.remote import RemoteFile

CONTENT = np.random.default_rng(0).bytes(300_000)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(fetching, "_WAITS_S", (0.0, 0.0, 0.0))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def publisher():
    with serving(Publisher(CONTENT)) as running:
        yield running


def remote(publisher, **changes):
    values = {
        "name": "file.bin",
        "url": publisher.url,
        "size_bytes": len(CONTENT),
        "checksum": f"sha256:{hashlib.sha256(CONTENT).hexdigest()}",
    }
    return RemoteFile(**(values | changes))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def cut_off(publisher, folder, *, after, **changes):
    """Leave the first ``after`` bytes behind."""
    publisher.drop_after = [after, 0, 0, 0]
    with pytest.raises(DownloadError):
        fetch(remote(publisher, **changes), folder)
    publisher.drop_after = []
    publisher.requests.clear()


def assert_whole(folder):
    assert (folder / "file.bin").read_bytes() == CONTENT
    assert names(folder) == ["file.bin"]


def test_the_file_arrives_whole_and_alone(publisher, tmp_path):
    assert fetch(remote(publisher), tmp_path / "new") == tmp_path / "new" / "file.bin"
    assert_whole(tmp_path / "new")


def test_an_md5_is_checked_too(publisher, tmp_path):
    fetch(remote(publisher, checksum=f"md5:{hashlib.md5(CONTENT).hexdigest()}"), tmp_path)
    assert_whole(tmp_path)


def test_a_file_without_size_and_checksum_arrives(publisher, tmp_path):
    fetch(remote(publisher, size_bytes=None, checksum=""), tmp_path)
    assert_whole(tmp_path)


def test_progress_ends_with_all_bytes(publisher, tmp_path):
    seen = []
    fetch(remote(publisher), tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_progress_goes_through_what_is_here_first(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000)
    seen = []
    fetch(remote(publisher), tmp_path, progress=lambda done, _: seen.append(done))
    assert seen[0] == 120_000
    assert seen == sorted(seen)


def test_a_dropped_connection_is_taken_up_where_it_broke(publisher, tmp_path):
    publisher.drop_after = [100_000, 50_000]
    fetch(remote(publisher), tmp_path)
    assert_whole(tmp_path)
    asked = [request.get("Range") for request in publisher.requests]
    assert asked == [None, "bytes=100000-", "bytes=150000-"]


def test_attempts_count_only_without_progress(publisher, tmp_path):
    publisher.drop_after = [20_000] * 12
    fetch(remote(publisher), tmp_path)
    assert_whole(tmp_path)


def test_a_connection_that_keeps_breaking_keeps_the_part(publisher, tmp_path):
    publisher.drop_after = [70_000, 0, 0, 0]
    with pytest.raises(DownloadError, match="4 times in a row.*70.0 kB are kept: repeat"):
        fetch(remote(publisher), tmp_path)
    assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:70_000]
    assert not (tmp_path / "file.bin").exists()


def test_a_server_that_always_starts_anew_does_not_go_on_for_ever(publisher, tmp_path):
    publisher.takes_ranges = False
    publisher.drop_after = [70_000] * 50
    with pytest.raises(DownloadError, match="times in a row"):
        fetch(remote(publisher), tmp_path)


def test_the_next_run_goes_on(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000)
    fetch(remote(publisher), tmp_path)
    assert_whole(tmp_path)
    assert publisher.requests[0]["Range"] == "bytes=120000-"
    assert publisher.requests[0]["If-Range"] == '"one"'


def test_a_server_without_ranges_gives_the_whole_file_again(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000)
    publisher.takes_ranges = False
    fetch(remote(publisher), tmp_path)
    assert_whole(tmp_path)


def test_a_changed_file_starts_anew(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000, checksum="", size_bytes=None)
    publisher.etag, publisher.content = '"two"', CONTENT[::-1]
    fetch(remote(publisher, checksum="", size_bytes=None), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT[::-1]


def test_a_changed_file_is_seen_where_if_range_is_ignored(publisher, tmp_path, monkeypatch):
    cut_off(publisher, tmp_path, after=120_000, checksum="", size_bytes=None)
    publisher.etag, publisher.content = '"two"', CONTENT[::-1]
    monkeypatch.setattr(
        "featbank.downloads.answer._headers",
        lambda start, _: {"Range": f"bytes={start}-"} if start else {},
    )
    fetch(remote(publisher, checksum="", size_bytes=None), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT[::-1]


def test_a_part_that_nothing_vouches_for_starts_anew(publisher, tmp_path):
    publisher.etag = ""
    cut_off(publisher, tmp_path, after=120_000, checksum="")
    fetch(remote(publisher, checksum=""), tmp_path)
    assert "Range" not in publisher.requests[0]
    assert_whole(tmp_path)


def test_a_weak_etag_vouches_for_nothing(publisher, tmp_path):
    publisher.etag = 'W/"one"'
    cut_off(publisher, tmp_path, after=120_000, checksum="")
    fetch(remote(publisher, checksum=""), tmp_path)
    assert "Range" not in publisher.requests[0]


def test_a_part_of_another_address_starts_anew(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000)
    fetch(remote(publisher, url=publisher.url + "?v=2"), tmp_path)
    assert "Range" not in publisher.requests[0]
    assert_whole(tmp_path)


def test_a_whole_part_needs_no_request(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000)
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    fetch(remote(publisher), tmp_path)
    assert publisher.requests == []
    assert_whole(tmp_path)


def test_416_of_a_whole_part_finishes_it(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000, size_bytes=None)
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    fetch(remote(publisher, size_bytes=None), tmp_path)
    assert len(publisher.requests) == 1
    assert_whole(tmp_path)


def test_416_of_a_part_that_is_too_long_starts_anew(publisher, tmp_path):
    cut_off(publisher, tmp_path, after=120_000)
    (tmp_path / "file.bin.part").write_bytes(CONTENT + b"more")
    fetch(remote(publisher), tmp_path)
    assert_whole(tmp_path)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_is_busy_is_asked_again(publisher, tmp_path, status):
    publisher.statuses = [status, status]
    fetch(remote(publisher), tmp_path)
    assert_whole(tmp_path)


def test_the_pause_that_a_server_asks_for_is_kept(publisher, tmp_path, monkeypatch):
    slept = []
    monkeypatch.setattr(fetching.time, "sleep", slept.append)
    publisher.statuses, publisher.headers = [503], {"Retry-After": "7"}
    fetch(remote(publisher), tmp_path)
    assert slept == [7.0]


@pytest.mark.parametrize(
    ("status", "words"), [(401, "401 Unauthorized"), (403, "403 Forbidden"), (404, "404 Not Found")]
)
def test_a_refusal_is_said_at_once(publisher, tmp_path, status, words):
    publisher.statuses = [status]
    with pytest.raises(DownloadError, match=f"file.bin: answered {words}; expected the file"):
        fetch(remote(publisher), tmp_path)
    assert len(publisher.requests) == 1


def test_a_machine_that_is_not_there_is_said_at_once(publisher, tmp_path):
    with pytest.raises(DownloadError, match="cannot be reached \\(Connection refused\\)"):
        fetch(remote(publisher, url="http://127.0.0.1:9/file.bin"), tmp_path)


def test_wrong_bytes_are_not_kept(publisher, tmp_path):
    publisher.content = CONTENT[:-1] + b"!"
    found = hashlib.sha256(publisher.content).hexdigest()
    with pytest.raises(DownloadError, match=f"checksum {found}; expected sha256:"):
        fetch(remote(publisher), tmp_path)
    assert names(tmp_path) == []


def test_a_file_of_another_size_is_refused_before_it_is_fetched(publisher, tmp_path):
    publisher.content = CONTENT + b"more"
    with pytest.raises(DownloadError, match="gives a file of 300004 bytes; expected 300000"):
        fetch(remote(publisher), tmp_path)
    assert names(tmp_path) == []


def test_a_length_that_claims_too_much_is_corrected_by_the_next_answer(publisher, tmp_path):
    publisher.length = len(CONTENT) + 10
    fetch(remote(publisher, size_bytes=None), tmp_path)
    assert_whole(tmp_path)


def test_a_length_that_claims_too_much_for_ever_ends(publisher, tmp_path):
    publisher.length, publisher.takes_ranges = len(CONTENT) + 10, False
    with pytest.raises(DownloadError, match="after 300000 of 300010 bytes, 4 times in a row"):
        fetch(remote(publisher, size_bytes=None), tmp_path)
    assert not (tmp_path / "file.bin").exists()


def test_a_length_that_claims_too_little_is_seen(publisher, tmp_path):
    publisher.length = len(CONTENT) - 10
    with pytest.raises(DownloadError, match="checksum"):
        fetch(remote(publisher, size_bytes=None), tmp_path)
    assert names(tmp_path) == []


def test_a_stream_without_end_is_left(publisher, tmp_path):
    publisher.length, publisher.content = -1, CONTENT * 20
    with pytest.raises(DownloadError, match="bytes; expected 300000 bytes") as caught:
        fetch(remote(publisher), tmp_path)
    taken = int(str(caught.value).split(" with ")[1].split(" bytes")[0])
    assert taken < len(publisher.content) / 2
    assert names(tmp_path) == []


def test_an_encoded_answer_is_refused(publisher, tmp_path):
    publisher.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(DownloadError, match="gzip encoding"):
        fetch(remote(publisher), tmp_path)


def test_a_redirect_to_the_web_is_followed(publisher, tmp_path):
    publisher.location = publisher.url
    fetch(remote(publisher, url=publisher.url.replace("file.bin", "moved")), tmp_path)
    assert_whole(tmp_path)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"])
def test_a_redirect_elsewhere_is_refused(publisher, tmp_path, target):
    publisher.location = target
    with pytest.raises(DownloadError, match=target.split(":", maxsplit=1)[0]):
        fetch(remote(publisher, url=publisher.url.replace("file.bin", "moved")), tmp_path)
    assert not (tmp_path / "file.bin").exists()


def test_an_address_that_is_no_web_address_is_refused(publisher, tmp_path):
    with pytest.raises(DownloadError, match="expected an http or https address"):
        fetch(remote(publisher, url="file:///etc/passwd"), tmp_path)


def test_a_redirect_loop_ends(publisher, tmp_path):
    publisher.location = "/moved"
    with pytest.raises(DownloadError, match="answered 302"):
        fetch(remote(publisher, url=publisher.url.replace("file.bin", "moved")), tmp_path)


def test_a_full_disk_is_said_before_a_byte_is_written(publisher, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 299_999))
    with pytest.raises(DownloadError, match="needs 300.0 kB more .* which has 300.0 kB free"):
        fetch(remote(publisher), tmp_path)
    assert (tmp_path / "file.bin.part").stat().st_size == 0


def test_a_disk_that_fills_up_keeps_what_is_there(publisher, tmp_path, monkeypatch):
    from featbank.downloads.part import PartialFile

    resume = PartialFile._resume

    def with_little_room(self, tell):
        resume(self, tell)
        self._stream = Full(self._stream.fileno(), "ab", closefd=False)

    with monkeypatch.context() as patched:
        patched.setattr(PartialFile, "_resume", with_little_room)
        with pytest.raises(DownloadError, match="room for all of it"):
            fetch(remote(publisher), tmp_path)
    publisher.requests.clear()
    fetch(remote(publisher), tmp_path)
    assert publisher.requests[0]["Range"] == "bytes=1000-"
    assert_whole(tmp_path)


class Full(FileIO):
    """A file on a disk with room for 1,000 bytes."""

    def write(self, data):
        if self.tell() >= 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data[: 1000 - self.tell()])


def test_a_disk_that_fails_is_one_line(publisher, tmp_path, monkeypatch):
    from featbank.downloads.part import PartialFile

    class Failing(FileIO):
        def write(self, data):
            raise OSError(errno.EIO, "Input/output error")

    resume = PartialFile._resume

    def on_a_failing_disk(self, tell):
        resume(self, tell)
        self._stream = Failing(self._stream.fileno(), "ab", closefd=False)

    monkeypatch.setattr(PartialFile, "_resume", on_a_failing_disk)
    with pytest.raises(DownloadError, match=r"part: cannot be written \(Input/output error\)"):
        fetch(remote(publisher), tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(publisher, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="file.bin.part: cannot be written"):
        fetch(remote(publisher), tmp_path / "file" / "below")


def test_two_processes_do_not_write_one_part(publisher, tmp_path):
    reached, go_on = threading.Event(), threading.Event()

    def pause():
        reached.set()
        go_on.wait(10)

    publisher.pause = pause
    thread = threading.Thread(target=fetch, args=(remote(publisher), tmp_path))
    thread.start()
    reached.wait(10)
    try:
        with pytest.raises(LockedError, match="another process is making it"):
            fetch(remote(publisher), tmp_path)
    finally:
        go_on.set()
        thread.join()
    assert_whole(tmp_path)


def test_a_file_that_is_there_is_not_fetched_again(publisher, tmp_path):
    (tmp_path / "file.bin").write_bytes(CONTENT)
    fetch(remote(publisher), tmp_path)
    assert publisher.requests == []


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"!"])
def test_a_file_that_is_there_and_wrong_is_named(publisher, tmp_path, content):
    (tmp_path / "file.bin").write_bytes(content)
    with pytest.raises(DownloadError, match="file.bin: has .*Delete it to fetch it anew"):
        fetch(remote(publisher), tmp_path)


def test_an_unknown_kind_of_checksum_is_a_fault_of_the_catalog(publisher, tmp_path):
    with pytest.raises(CatalogError, match="crc32:12"):
        fetch(remote(publisher, checksum="crc32:12"), tmp_path)


def test_a_killed_download_is_taken_up(publisher, tmp_path):
    sent = threading.Semaphore(6)
    publisher.pause = lambda: sent.acquire(timeout=10)
    victim = subprocess.Popen(
        [sys.executable, "-c", _FETCH, publisher.url, str(tmp_path)], stdin=subprocess.DEVNULL
    )
    part = tmp_path / "file.bin.part"
    while not part.exists() or part.stat().st_size < 50_000:
        assert victim.poll() is None
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    sent.release(1000)
    assert names(tmp_path) == ["file.bin.part", "file.bin.part.json"]
    publisher.requests.clear()
    fetch(remote(publisher), tmp_path)
    assert publisher.requests[0]["Range"].startswith("bytes=")
    assert_whole(tmp_path)


_FETCH = """
import sys
from pathlib import Path
from featbank.downloads import fetch as fetching
from featbank.remote import RemoteFile
fetching.CHUNK_BYTES = 4096
fetching.fetch(RemoteFile(name="file.bin", url=sys.argv[1]), Path(sys.argv[2]))
"""
