"""What each image is: the SHA-256 of its files, taken before the recipe and remembered by the bank.

Threads suffice: hashing and reading both free the interpreter.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from featbank.bank.digest_cache import DigestCache, Stamp
from featbank.errors import ReadError
from featbank.image import files_of
from featbank.recipes.recipe import lines_sha256, text_sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.datasets import Dataset

    # Takes the step, bytes done, and bytes in all.
    Progress = Callable[[str, int, int | None], None]
    # Path, stamp, SHA-256, and whether any later change would leave another stamp.
    Read = tuple[str, Stamp, str, bool]

T = TypeVar("T")

CONTENT, NAMES, ORIGINS = "content", "names", "origins"
_STEP = "digests of the files"
# What stands for the digest of a file that a reader consults and that is not there.
_ABSENT = "absent"
_BLOCK_BYTES = 1 << 20
# Paths handed to a thread at once: enough to hide the hand-over, few enough to share the work.
_FIRST, _AT_ONCE = 16, 128
_BLOCK_FILES = 64 * _AT_ONCE
# Opening and closing a file takes 10 µs of the interpreter; work much longer than that is outside.
_LONG_S = 100e-6
# Reading waits for the disk as much as for the processor; more threads than this wait for each
# other.
_MAX_THREADS = 16
# File systems stamp changes with a clock that is some milliseconds behind.
_LAG_NS = 50_000_000
# A network file system that stumbles is back within seconds; a dead one is not.
_WAITS_S = (0.1, 0.5, 2.0)


def with_digests(
    dataset: Dataset,
    bank: Path,
    progress: Progress | None = None,
    *,
    keeps: bool = True,
) -> Dataset:
    """The dataset, each of its samples with the digest of what it is.

    Args:
        dataset: Narrowed to the samples that are meant.
        bank: Its digests are looked up, and new ones kept there.
        progress: Takes the step, and bytes read and to be read.
        keeps: Whether new digests are kept.

    Raises:
        ReadError: The disk failed, or a file changes while it is read.
    """
    samples = dataset.samples
    if samples.digests is not None:
        return dataset
    kind = fingerprint_of(dataset)
    if kind == CONTENT:
        digests = _of_content(dataset, DigestCache(bank, may_write=keeps), progress)
    elif kind == NAMES:
        digests = _of_text(f"{i}\t{o}" for i, o in zip(samples.ids, samples.origins, strict=True))
    else:
        digests = _of_text(map(str, samples.origins))
    return replace(dataset, samples=replace(samples, digests=digests))


def changed_rows(dataset: Dataset, since_ns: int) -> list[int]:
    """Rows whose files are not those any more that their digests were taken of.

    Args:
        dataset: With digests.
        since_ns: When they were taken; only files that changed later are read again.

    Raises:
        ReadError: As ``with_digests``.
    """
    digests = dataset.samples.digests
    if digests is None or fingerprint_of(dataset) != CONTENT:
        return []
    changed = []
    for row in range(len(digests)):
        files = files_of(dataset.reader, row)
        if files and any(_changed_at(path) >= since_ns - _LAG_NS for path in files):
            read = {each[0]: each[2] for each in _read_all(files)}
            if sample_digest(files, read) != digests[row]:
                changed.append(row)
    return changed


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_ctime_ns
    except OSError:
        # Gone, or out of reach: reading it says which.
        return sys.maxsize


def fingerprint_of(dataset: Dataset) -> str:
    """What the images of a dataset are known by: ``content``, ``names`` or ``origins``.

    Chips that are computed have no files; their origins say all that decides them.
    """
    if dataset.fingerprint_of == NAMES:
        return NAMES
    return CONTENT if len(dataset.samples) and files_of(dataset.reader, 0) else ORIGINS


def unnamed_files_note(dataset: Dataset) -> str:
    """What a user must know where images on disk are not known by their content; else empty."""
    if dataset.root is None or fingerprint_of(dataset) != ORIGINS:
        return ""
    return (
        f"the reader of {dataset.name} names no files, so that its images are known by what the "
        "dataset says of them: an edit in place is not noticed"
    )


def _of_text(texts: Iterable[str]) -> NDArray[np.object_]:
    return np.array([text_sha256(text) for text in texts], dtype=object)


def _of_content(
    dataset: Dataset, cache: DigestCache, progress: Progress | None
) -> NDArray[np.object_]:
    reader, samples = dataset.reader, dataset.samples
    files = [files_of(reader, row) for row in range(len(samples))]
    with cache, ThreadPoolExecutor(_threads()) as pool:
        digests = _digests(list(dict.fromkeys(chain.from_iterable(files))), cache, pool, progress)
    found = [
        sample_digest(names, digests) if names else text_sha256(str(origin))
        for names, origin in zip(files, samples.origins, strict=True)
    ]
    return np.array(found, dtype=object)


def sample_digest(files: Sequence[str], digests: dict[str, str]) -> str:
    """The digest of a sample of some files.

    A file alone is known by its own SHA-256. Of several, each counts with its part (``.aux.xml``
    behind the image's name), never with its name or place.

    Args:
        files: Its files, the image first.
        digests: SHA-256 by path; a file that is not there has none.
    """
    if len(files) == 1 and files[0] in digests:
        return digests[files[0]]
    return lines_sha256(f"{_part(path, files[0])}\t{digests.get(path, _ABSENT)}" for path in files)


def _part(path: str, image: str) -> str:
    """What a file is to an image: '' itself, ``+.msk`` behind its name, ``.tfw`` for its suffix."""
    if path == image:
        return ""
    name, whole = os.path.basename(path), os.path.basename(image)
    stem = os.path.splitext(whole)[0]
    if name.startswith(whole):
        return f"+{name[len(whole) :].lower()}"
    return (name[len(stem) :] if name.startswith(stem) else os.path.splitext(name)[1]).lower()


def _digests(
    paths: list[str], cache: DigestCache, pool: ThreadPoolExecutor, progress: Progress | None
) -> dict[str, str]:
    """SHA-256 of files by path, from the cache where their stamp has not changed."""
    found: dict[str, str] = {}
    for block in _blocks(paths, _BLOCK_FILES):
        kept = cache.find(block)
        for told in _shared(pool, _stamps, list(kept)):
            same = [path for path, stamp in told if kept[path].stamp == str(stamp)]
            found |= {path: kept[path].sha256 for path in same}
    changed = [path for path in paths if path not in found]
    done_bytes = 0
    for start in range(0, len(changed), _BLOCK_FILES):
        read: list[Read] = []
        for part in _shared(pool, _read_all, changed[start : start + _BLOCK_FILES]):
            read += part
            done_bytes += sum(stamp.size for _, stamp, _, _ in part)
            if progress is not None:
                # Files are not asked for their size before they are read, so the total is a guess.
                progress(_STEP, done_bytes, done_bytes * len(changed) // max(1, start + len(read)))
        found |= {path: sha256 for path, _, sha256, _ in read}
        cache.keep((path, stamp, sha256) for path, stamp, sha256, settled in read if settled)
    return found


def _shared(
    pool: ThreadPoolExecutor, work: Callable[[Sequence[str]], list[T]], paths: Sequence[str]
) -> Iterator[list[T]]:
    """Work on paths, by threads where those gain something.

    Threads that read small files from memory only wait for the interpreter; those that wait for a
    disk, or hash large files, run side by side. The first few paths tell which it is.
    """
    first, others = paths[:_FIRST], list(_blocks(paths[_FIRST:], _AT_ONCE))
    start_s, start_cpu_s = time.perf_counter(), time.thread_time()
    done = work(first)
    cpu_s = time.thread_time() - start_cpu_s
    is_waiting = time.perf_counter() - start_s > 2 * cpu_s
    yield done
    gains = is_waiting or cpu_s > _LONG_S * len(first)
    yield from pool.map(work, others) if gains else map(work, others)


def _blocks(paths: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def _stamps(paths: Sequence[str]) -> list[tuple[str, Stamp]]:
    """Stamps of the files that are there."""
    return [(path, stamp) for path in paths if (stamp := _patiently(_stamp, path)) is not None]


def _stamp(path: str) -> Stamp:
    return Stamp.of(os.stat(path))


def _read_all(paths: Sequence[str]) -> list[Read]:
    return [(path, *read) for path in paths if (read := _patiently(_read, path)) is not None]


def _patiently(ask: Callable[[str], T], path: str) -> T | None:
    """What is asked of a file; None where it is not there.

    Raises:
        ReadError: The disk failed, or the file changed, time and again.
    """
    for wait_s in (*_WAITS_S, None):
        try:
            return ask(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if wait_s is None:
                raise ReadError(
                    path,
                    f"cannot be read ({error.strerror or error})",
                    "a readable file",
                    "Repair the disk, network or file, then repeat the command.",
                ) from error
            time.sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")


def _read(path: str) -> tuple[Stamp, str, bool]:
    """Stamp and SHA-256 of one file, and whether the stamp will tell of any change from now on.

    Raises:
        OSError: It cannot be read, or it changes meanwhile.
    """
    # Plain descriptors: a file object costs as much as hashing a small chip.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        now_ns = time.time_ns()
        before = os.fstat(descriptor)
        digest, left = hashlib.sha256(), before.st_size
        # Never asked for more than is left: a buffer of a whole block costs ten times a small file.
        while block := os.read(descriptor, min(_BLOCK_BYTES, max(left, 1))):
            digest.update(block)
            left -= len(block)
            if left <= 0:
                break
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    stamp = Stamp.of(after)
    if left or stamp != Stamp.of(before):
        raise OSError(f"changes while it is read: {path}")
    return stamp, digest.hexdigest(), stamp.is_settled(now_ns)


def _threads() -> int:
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return min(_MAX_THREADS, max(1, cores))
