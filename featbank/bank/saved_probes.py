"""Saved probes and fitted states as files: safetensors and JSON, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.bank.arrays_file import read_arrays, write_arrays
from featbank.catalog import suggest
from featbank.disk import flush, write_atomically
from featbank.errors import MissingPathError, ProbeError, UsageError
from featbank.json_file import DamagedJson, read_object
from featbank.recipes.recipe import file_sha256, recipe_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.bank.bank import Bank
    from featbank.image import Array

FORMAT = "featbank-probe"
# Raised whenever an older featbank could not read what is written, or would read it otherwise.
FORMAT_VERSION = 1
RECORD, ARRAYS = "probe.json", "probe.safetensors"
_ARRAYS_SHA256, _RECORD_SHA256 = "arrays_sha256", "record_sha256"
_SHOWN = 5


def probe_folder(bank: Bank, result: str) -> Path:
    """Folder of the probe of a result."""
    return bank.root / "probes" / result


def is_saved(bank: Bank, result: str) -> bool:
    """Whether the probe of a result is kept."""
    return (probe_folder(bank, result) / RECORD).exists()


def write_probe(
    bank: Bank, result: str, record: Mapping[str, Any], arrays: Mapping[str, Array]
) -> Path:
    """Write a probe, replacing an earlier one of the same result.

    Args:
        bank: Where to.
        result: Id of its result.
        record: What is kept beside the arrays, as JSON.
        arrays: Arrays of numbers by name.

    Returns:
        The folder, which holds ``probe.json`` and ``probe.safetensors``.
    """
    folder = probe_folder(bank, result)
    hidden, old = (folder.with_name(f".{result}.{os.getpid()}.{why}") for why in ("new", "old"))
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    try:
        write_arrays(hidden / ARRAYS, arrays)
        whole = {"format": FORMAT, "format_version": FORMAT_VERSION, **record}
        whole[_ARRAYS_SHA256] = file_sha256(hidden / ARRAYS)
        whole[_RECORD_SHA256] = recipe_id(whole)
        text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(hidden / RECORD, text.encode("utf-8"))
        _put(hidden, folder, old)
        flush(folder.parent)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _put(hidden: Path, folder: Path, old: Path) -> None:
    """Give a folder its name; what another process put there meanwhile is replaced too."""
    while True:
        shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, old)
        try:
            os.rename(hidden, folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                # The former probe gets its name again: nothing is lost.
                with contextlib.suppress(OSError):
                    os.rename(old, folder)
                raise
        else:
            return


def read_probe(folder: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """A probe's record and arrays.

    Raises:
        MissingPathError: It is not there.
        ProbeError: A file is damaged, another program's, or written by a newer featbank.
    """
    record = _record(folder / RECORD)
    path = folder / ARRAYS
    if not path.is_file():
        raise MissingPathError(
            str(path), "there is no such file", "the probe's arrays", "Fit and save it again."
        )
    if file_sha256(path) != record.get(_ARRAYS_SHA256):
        raise _damaged(path, "is damaged or of another probe")
    arrays = read_arrays(path)
    if arrays is None:
        raise _damaged(path, "is damaged: it does not load")
    return record, arrays


def _record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MissingPathError(
            str(path), "there is no such file", "a saved probe", "Check the path after --probe."
        )
    try:
        record = read_object(path)
    except DamagedJson as error:
        raise _damaged(path, f"is no saved probe: it {error}") from error
    if record.get("format") != FORMAT:
        raise _damaged(path, "is no saved probe of featbank")
    version = record.get("format_version")
    if not isinstance(version, int) or not 0 < version <= FORMAT_VERSION:
        raise ProbeError(
            str(path),
            f"its format is version {version}, written by featbank {record.get('featbank', '?')}",
            f"version {FORMAT_VERSION} or lower, which this featbank reads",
            "Update featbank, or fit and save the probe again with this one.",
        )
    told = record.pop(_RECORD_SHA256, "")
    if recipe_id(record) != told:
        raise _damaged(path, "is damaged or was changed by hand")
    return record


def _damaged(path: Path, found: str) -> ProbeError:
    return ProbeError(
        str(path),
        found,
        "what 'featbank probe --save' wrote",
        "Copy it again, or fit and save the probe again.",
    )


def find_probe(bank: Bank, named: str) -> Path:
    """Folder of the saved probe that is meant.

    Args:
        bank: Where to look.
        named: A folder that holds a saved probe, or the beginning of a result id.

    Raises:
        MissingPathError: No such probe; names the nearest.
        UsageError: Several ids begin so.
    """
    if (Path(named) / RECORD).is_file():
        return Path(named)
    known = sorted(path.parent.name for path in bank.root.glob(f"probes/*/{RECORD}"))
    known = [name for name in known if not name.startswith(".")]
    found = [name for name in known if named and name.startswith(named)]
    if len(found) == 1:
        return probe_folder(bank, found[0])
    if found:
        raise UsageError(
            f"--probe {named}",
            f"{len(found)} saved probes begin so: {', '.join(found[:_SHOWN])}",
            "one",
            "Give more digits.",
        )
    raise _unknown(bank, named, known)


def _unknown(bank: Bank, named: str, known: list[str]) -> MissingPathError:
    results = [path.stem for path in bank.result_path("x").parent.glob("*.parquet")]
    if named and any(name.startswith(named) for name in results):
        return MissingPathError(
            f"--probe {named}",
            "its result stands in the bank, but the fitted probe was not kept",
            "a probe that 'featbank probe --save' has kept",
            "Repeat that 'featbank probe' with --save.",
        )
    few = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
    return MissingPathError(
        f"--probe {named}",
        f"no saved probe of bank {bank.root} has this id, and no folder of this name holds one",
        f"one of {few}" if known else "a probe that 'featbank probe --save' has kept",
        suggest(named, known) if known else "Fit one with 'featbank probe --save'.",
    )
