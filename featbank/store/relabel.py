"""Writing ids, labels, splits and places of a store anew, without touching a feature.

The store is unfinished while this goes on: readers refuse it, so that nobody sees new ids beside
old labels, and the next ``embed`` does it again after a kill.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from featbank.samples import LabelSet
from featbank.store.arrays import content_sha256, create_array
from featbank.store.create import labels_sha256
from featbank.store.schema import (
    CLASS_PREFIX,
    DIGEST,
    EXCLUDE,
    GROUP,
    LABEL_PREFIX,
    LAYER,
    LONLAT,
    MASK,
    META_PREFIX,
    PAIR_ID,
    SPLIT_PREFIX,
    TIME,
    sample_arrays,
)
from featbank.store.state import metadata
from featbank.store.writer import consolidate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.samples import Samples
    from featbank.store.schema import ArraySpec

_DOCUMENT, _CONSOLIDATED = "zarr.json", "consolidated_metadata"
# Says that labels are being written, and whether the store was finished before.
_MARK, _FINISHED = "relabelling", "finished"
# Columns that a dataset may come to lack; further ones are whoever wrote them's.
_OPTIONAL = (GROUP, PAIR_ID, EXCLUDE, LONLAT, TIME, "bbox", "crs")
_PREFIXES = (LABEL_PREFIX, CLASS_PREFIX, SPLIT_PREFIX, META_PREFIX)


def kept_labels(path: Path) -> tuple[dict[str, LabelSet], dict[str, NDArray[np.int8]]]:
    """Label sets and split schemes of a store that need not be finished."""
    told = metadata(path)["attributes"]
    labels = {
        name: LabelSet(
            classes=tuple(str(each) for each in _read(path, f"{CLASS_PREFIX}{name}")),
            codes=_read(path, f"{LABEL_PREFIX}{name}"),
        )
        for name in told["label_sets"]
    }
    return labels, {name: _read(path, f"{SPLIT_PREFIX}{name}") for name in told["split_schemes"]}


def is_labelled_so(path: Path, samples: Samples, attributes: Mapping[str, Any]) -> bool:
    """Whether a store holds these ids, labels, splits and places, and says this of them.

    Args:
        path: The store.
        samples: In the order of its rows.
        attributes: What it should say.
    """
    told = metadata(path)["attributes"]
    if told.get(_MARK) or any(told.get(name) != value for name, value in attributes.items()):
        return False
    specs = _specs(path, samples)
    is_same = all(_is_written(path, spec, is_checked=False) for spec in specs)
    return is_same and not _stale(path, specs)


def relabel(path: Path, samples: Samples, attributes: Mapping[str, Any]) -> None:
    """Write ids, labels, splits and places anew, and whatever else the store says of them.

    Args:
        path: The store, held for writing.
        samples: In the order of its rows.
        attributes: What it says from now on.
    """
    content = metadata(path)
    told = dict(content["attributes"])
    former = told.pop(_MARK, None)
    was_finished = bool(content.get(_CONSOLIDATED)) or former == _FINISHED
    _write_document(path, content, {**told, _MARK: _FINISHED if was_finished else "unfinished"})
    group = zarr.open_group(path, mode="r+", zarr_format=3, use_consolidated=False)
    specs = _specs(path, samples)
    for name in _stale(path, specs):
        shutil.rmtree(path / name)
    for spec in specs:
        # What is right stays: after a kill labels that only the store knows are still there.
        if not _is_written(path, spec, is_checked=former is not None):
            shutil.rmtree(path / spec.name, ignore_errors=True)
            create_array(group, spec)
    new = {**told, **attributes, "labels_sha256": labels_sha256(samples)}
    _write_document(path, content, new)
    if was_finished:
        consolidate(path)


def _specs(path: Path, samples: Samples) -> list[ArraySpec]:
    """What a store of these samples holds beside what the network gave."""
    layers = tuple(int(layer) for layer in _read(path, LAYER))
    return [spec for spec in sample_arrays(samples, layers) if spec.name not in (LAYER, DIGEST)]


def _stale(path: Path, specs: list[ArraySpec]) -> list[str]:
    """Columns that the samples no longer have."""
    wanted = {spec.name for spec in specs} | {f"{CLASS_PREFIX}{MASK}"}
    here = [folder.name for folder in path.iterdir() if folder.is_dir()]
    return [
        name
        for name in here
        if name not in wanted and (name in _OPTIONAL or name.startswith(_PREFIXES))
    ]


def _is_written(path: Path, spec: ArraySpec, *, is_checked: bool) -> bool:
    """Whether a column says that it holds these contents, and does where that is to be checked."""
    document = path / spec.name / _DOCUMENT
    if spec.data is None or not document.is_file():
        return False
    wanted = content_sha256(spec.data)
    if json.loads(document.read_text())["attributes"].get("sha256") != wanted:
        return False
    return not is_checked or content_sha256(_read(path, spec.name)) == wanted


def _write_document(path: Path, content: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    """The group's own document, without the consolidated metadata that says it is finished."""
    kept = {name: value for name, value in content.items() if name != _CONSOLIDATED}
    hidden = path / f".{_DOCUMENT}.{os.getpid()}.partial"
    with hidden.open("w") as file:
        json.dump({**kept, "attributes": dict(attributes)}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    os.replace(hidden, path / _DOCUMENT)


def _read(path: Path, name: str) -> Array:
    return np.asarray(zarr.open_array(path / name, mode="r", zarr_format=3)[...])
