"""Checkpoints: encoder weights with what they are, how they came about, and what they saw.

A checkpoint is a folder: ``checkpoint.json``, ``encoder.safetensors``, ``heads.safetensors`` where
the method has heads, ``seen.parquet`` with the ids of the chips that it was trained on,
``log.parquet`` with one row a step, ``curves.png``. While its run goes on, ``training/`` holds the
states from which it can be resumed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.arrays_file import read_arrays
from featbank.bank.checkpoint_record import wrong_field, wrong_files
from featbank.bank.files_together import files_together
from featbank.disk import flush, write_new
from featbank.errors import MissingPathError, WeightsError
from featbank.json_file import DamagedJson, read_object
from featbank.parquet_file import as_parquet, read_parquet
from featbank.recipes.recipe import file_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.bands import Band
    from featbank.bank.bank import Bank
    from featbank.image import Array

FORMAT = 1
RECORD, ENCODER, HEADS = "checkpoint.json", "encoder.safetensors", "heads.safetensors"
SEEN, LOG, CURVES, TRAINING = "seen.parquet", "log.parquet", "curves.png", "training"
_FILES = "files"
_DATASET, _SAMPLE = "dataset", "sample_id"
# Stands among the datasets of what a checkpoint saw; its "ids" are digests of the images, which
# folders and files that are renamed keep.
SEEN_IMAGES = "sha256:"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What ``checkpoint.json`` says.

    Attributes:
        name: Method, model and short id: ``dino-vit-tiny-1a2b3c4d``.
        config: Fields of ``featbank.layers.vit.VitConfig``.
        bands: Name, centre wavelength in µm and unit of each channel, in order.
        image_px: Side of the largest view that it was trained on.
        statistics: ``method``, ``mean``, ``std`` and ``source`` that normalised its input.
        default_feature: Feature that probes take when none is named.
        recipe: Everything that decided the weights.
        recipe_id: Its hash.
        saw: One mapping for each dataset: ``dataset``, ``fingerprint``, ``split_scheme``,
            ``splits``, ``samples``.
        steps: Optimiser steps done.
        is_finished: Whether the run went to its end.
        origin: What it started from, in words.
        licence: Licence of what it started from; empty where at random.
        command: The command that made it, for people.
        environment: Device, versions, times.
    """

    name: str
    config: Mapping[str, Any]
    bands: tuple[Mapping[str, Any], ...]
    image_px: int
    statistics: Mapping[str, Any]
    default_feature: str
    recipe: Mapping[str, Any]
    recipe_id: str
    saw: tuple[Mapping[str, Any], ...]
    steps: int
    is_finished: bool
    origin: str
    licence: str = ""
    command: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)


def band_records(bands: Sequence[Band]) -> tuple[dict[str, Any], ...]:
    """What a checkpoint says of its channels; by the role, warm starts match other sensors."""
    names = ("name", "wavelength_um", "unit", "role")
    return tuple({name: getattr(band, name) for name in names} for band in bands)


def is_checkpoint(path: Path) -> bool:
    """Whether a path is a checkpoint's folder."""
    return (path / RECORD).is_file()


def checkpoint_path(bank: Bank, *, dataset: str, name: str) -> Path:
    """Folder of the checkpoint of a name that was trained on a dataset."""
    return bank.root / "checkpoints" / dataset / name


def checkpoints(bank: Bank) -> list[Path]:
    """Folders of all checkpoints of a bank, sorted."""
    return sorted(path.parent for path in bank.root.glob(f"checkpoints/*/*/{RECORD}"))


def record_bytes(checkpoint: Checkpoint, files: Mapping[str, str]) -> bytes:
    """``checkpoint.json`` of a checkpoint.

    Args:
        checkpoint: What it says.
        files: SHA-256 of the files beside it, by name.
    """
    whole = {"format": FORMAT, _FILES: dict(files), **asdict(checkpoint)}
    return json.dumps(whole, indent=1, allow_nan=False).encode()


def read_checkpoint(path: Path) -> Checkpoint:
    """What a checkpoint says of itself.

    Raises:
        MissingPathError: There is none at this path.
        WeightsError: Its record is damaged, or of another format.
    """
    return _read(path)[0]


def recorded_sha256(path: Path, name: str) -> str | None:
    """SHA-256 that a checkpoint's record gives for one of its files; None for a file it has not.

    Raises:
        MissingPathError: There is no checkpoint at this path.
        WeightsError: Its record is damaged, or of another format.
    """
    return _read(path)[1].get(name)


def _read(path: Path) -> tuple[Checkpoint, dict[str, str]]:
    if not is_checkpoint(path):
        raise MissingPathError(
            str(path), f"holds no {RECORD}", "a checkpoint's folder", "Check the path."
        )
    try:
        content = read_object(path / RECORD)
    except DamagedJson as error:
        raise _no_record(path, f"it {error}") from error
    if content.pop("format", None) != FORMAT:
        raise _no_record(path, "it is of another format")
    files = content.pop(_FILES, None)
    wrong = "lacks the hashes of its files" if wrong_files(files) else wrong_field(content)
    if wrong:
        raise _no_record(path, f"it {wrong}")
    tuples = {name: tuple(content[name]) for name in ("bands", "saw")}
    return Checkpoint(**{**content, **tuples}), dict(files)


def _no_record(path: Path, why: str) -> WeightsError:
    return WeightsError(
        str(path / RECORD),
        f"is no record of a checkpoint ({why})",
        f"what 'featbank pretrain' wrote, format {FORMAT}",
        "Train again, or take another copy.",
    )


def write_checkpoint(
    path: Path,
    checkpoint: Checkpoint,
    encoder: Mapping[str, Any],
    heads: Mapping[str, Any],
    *,
    seen: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write a checkpoint, or write a newer state of it over the former.

    Every file is written whole and flushed to disk under a hidden name first; only then do they
    take their names, the record last. A disk that fills leaves the former files as they were.

    Args:
        path: Its folder, made where it is not there.
        checkpoint: What it says of itself.
        encoder: Tensors or arrays by name, kept as float32.
        heads: Likewise; empty writes no file, and removes a former one.
        seen: Sorted ids of the chips that it was trained on, by dataset; None leaves the file that
            is there.

    Raises:
        OSError: The disk is full or fails; the former checkpoint stands.
    """
    path.mkdir(parents=True, exist_ok=True)
    with files_together(path) as hidden:
        _save_tensors(hidden(ENCODER), encoder)
        if heads:
            _save_tensors(hidden(HEADS), heads)
        if seen is not None:
            _save_seen(hidden(SEEN), seen)
        files = {name: file_sha256(hidden(name)) for name in (ENCODER, HEADS) if hidden.has(name)}
        write_new(hidden(RECORD), record_bytes(checkpoint, files))
        hidden.give_names()
    if not heads:
        (path / HEADS).unlink(missing_ok=True)
    flush(path)


def _save_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    from safetensors.numpy import save

    # Bytes written by Python raise OSError on a full disk; the library's own writer has other names
    # for it, and gives its files to their owner alone.
    write_new(path, save({name: _array(value) for name, value in tensors.items()}))


def _array(value: Any) -> NDArray[np.float32]:  # noqa: ANN401 - a tensor or an array
    on_host = value.detach().cpu().float().numpy() if hasattr(value, "detach") else value
    return np.asarray(on_host, dtype=np.float32, order="C")


def _save_seen(path: Path, seen: Mapping[str, Sequence[str]]) -> None:
    import pyarrow as pa

    names = [name for name, ids in seen.items() for _ in ids]
    ids = [str(sample) for group in seen.values() for sample in group]
    columns = {
        _DATASET: pa.array(names, pa.string()).dictionary_encode(),
        _SAMPLE: pa.array(ids, pa.string()),
    }
    write_new(path, as_parquet(pa.table(columns), compression="zstd"))


def read_encoder(path: Path) -> dict[str, Array]:
    """The encoder's arrays of a checkpoint.

    Raises:
        MissingPathError: There is no checkpoint at this path.
        WeightsError: The file is missing, cut short, damaged, or not the one of the record.
    """
    return _checked(path, ENCODER)


def read_heads(path: Path) -> dict[str, Array]:
    """The heads' arrays of a checkpoint; empty for methods without heads.

    Raises:
        MissingPathError: There is no checkpoint at this path.
        WeightsError: The file is missing, cut short, damaged, or not the one of the record.
    """
    return _checked(path, HEADS) if recorded_sha256(path, HEADS) is not None else {}


def encoder_sha256(path: Path) -> str:
    """SHA-256 of a checkpoint's encoder file, as its record has it.

    Raises:
        MissingPathError: There is no checkpoint at this path.
        WeightsError: Its record is damaged.
    """
    return recorded_sha256(path, ENCODER) or ""


def _checked(path: Path, name: str) -> dict[str, Array]:
    expected, file = recorded_sha256(path, name), path / name
    if not file.is_file():
        raise _damaged(file, "is missing")
    arrays = read_arrays(file) if file_sha256(file) == expected else None
    if arrays is None:
        raise _damaged(file, "is cut short, damaged or of another checkpoint")
    return arrays


def _damaged(file: Path, found: str) -> WeightsError:
    return WeightsError(
        str(file),
        found,
        f"the file that {RECORD} beside it describes",
        "Copy the checkpoint again, or repeat its 'featbank pretrain'.",
    )


def read_seen(path: Path) -> dict[str, frozenset[str]]:
    """Ids of the chips that a checkpoint was trained on, by dataset; empty where none are kept.

    Raises:
        WeightsError: The file is damaged.
    """
    file = path / SEEN
    if not file.is_file():
        return {}
    columns = (_DATASET, _SAMPLE)
    table = read_parquet(file, lambda found: _damaged(file, found), columns=columns)
    texts = [table[name].to_pylist() for name in columns]
    if not all(isinstance(each, str) for column in texts for each in column):
        raise _damaged(file, "holds names that are no text")
    names, ids = (np.asarray(column, dtype=object) for column in texts)
    return {str(name): frozenset(ids[names == name].tolist()) for name in set(names.tolist())}
