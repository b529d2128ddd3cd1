"""Weights files and folders with damage: a refusal names its file, and what loads is a network.

``trial(rng, folder)`` makes one damaged file and loads it as ``featbank embed`` would. It raises
``AssertionError`` where a claim breaks: anything but a ``FeatbankError`` comes out, the refusal
does not name its file or has several lines or torch's words, or what loads is no whole network.
"""

from __future__ import annotations

import functools
import io
import json
import struct
import zipfile
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from made_weights import bytes_of, features, head, load, network, other, prefixed, small
from safetensors.torch import save

from featbank.errors import FeatbankError
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.first_weights import read_first_weights
from featbank.sources.weights import load_weights

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from featbank.sources.loaded_weights import Weights

Loaded = TypeVar("Loaded")
# What torch tells people whose file it refuses.
_TORCHS_WORDS = ("weights_only", "safe_globals", "allowlist", "trust")
_MOST = 24


@functools.cache
def _originals() -> dict[str, bytes]:
    """Good files of each kind, as bytes."""
    import argparse

    plain = network()
    wrapped = {
        "teacher": prefixed("module.backbone.", plain) | head(),
        "student": prefixed("module.backbone.", other()),
        "args": argparse.Namespace(lr=0.1, seeds=[1, 2]),
        "seen": np.float64(3.5),
    }
    return {
        "plain.safetensors": save(plain),
        "half.safetensors": save({name: value.half() for name, value in plain.items()}),
        "plain.pth": bytes_of(plain),
        "wrapped.pth": bytes_of(wrapped),
        "legacy.pth": bytes_of(wrapped, _use_new_zipfile_serialization=False),
    }


def _cut(rng: np.random.Generator, data: bytes) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _flip(rng: np.random.Generator, data: bytes) -> bytes:
    """Some bytes changed, in the first part (headers, pickles) more often than elsewhere."""
    changed = bytearray(data)
    end = len(data) if rng.random() < 0.4 else min(len(data), 6000)
    for place in rng.integers(0, end, int(rng.integers(1, _MOST))):
        changed[place] = int(rng.integers(0, 256))
    return bytes(changed)


def _flip_end(rng: np.random.Generator, data: bytes) -> bytes:
    """A zip file's table stands at its end."""
    changed = bytearray(data)
    for back in rng.integers(1, min(3000, len(data)), int(rng.integers(1, _MOST))):
        changed[-back] = int(rng.integers(0, 256))
    return bytes(changed)


def _splice(rng: np.random.Generator, data: bytes) -> bytes:
    """The start of one file and the end of another."""
    others = list(_originals().values())
    tail = others[int(rng.integers(len(others)))]
    return data[: int(rng.integers(1, len(data)))] + tail[int(rng.integers(0, len(tail))) :]


def _drop(rng: np.random.Generator, data: bytes) -> bytes:
    """A stretch left out, or said twice."""
    start, stop = sorted(rng.integers(0, len(data), 2).tolist())
    return data[:start] + data[stop:] if rng.random() < 0.5 else data[:stop] + data[start:]


def _zeroed(rng: np.random.Generator, data: bytes) -> bytes:
    """A stretch of zeros, as a broken copy leaves."""
    start, stop = sorted(rng.integers(0, len(data), 2).tolist())
    return data[:start] + bytes(stop - start) + data[stop:]


def _header(rng: np.random.Generator, data: bytes) -> bytes:
    """A safetensors header with another value at one place; of other files, flipped bytes."""
    if data not in _originals().values() or data[8:9] != b"{":
        return _flip(rng, data)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    name = list(header)[int(rng.integers(len(header)))]
    values = {
        "dtype": ["F64", "I8", "BOOL", "F8_E4M3", "none", 3],
        "shape": [[], [0], [-1, 2], [2**40], [32, 32, 32], "wide"],
        "data_offsets": [[0, 1], [5, 2], [0, 2**60], [-1, 4], []],
    }
    field = list(values)[int(rng.integers(3))]
    header[name][field] = values[field][int(rng.integers(len(values[field])))]
    made = json.dumps(header).encode()
    return struct.pack("<Q", len(made)) + made + data[8 + length :]


def _pickled(rng: np.random.Generator, data: bytes) -> bytes:
    """A torch file whose pickle is damaged and whose checksums are right all the same."""
    if data not in _originals().values() or not zipfile.is_zipfile(io.BytesIO(data)):
        return _flip(rng, data)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename.endswith("data.pkl"):
                content = (_flip, _drop, _cut)[int(rng.integers(3))](rng, content)
            new.writestr(member.filename, content)
    return made.getvalue()


_BYTES = (_cut, _flip, _flip, _flip_end, _splice, _drop, _zeroed)
_DAMAGES = (*_BYTES, _header, _header, _pickled, _pickled, _pickled)
# Values that a JSON file may hold where others are meant.
_VALUES = (None, True, -1, 0, 3.5, 2**70, "x", "", [], [14, 7], {}, {"a": 1}, float("inf"))
_DINOV2 = {"dim": 32, "depth": 2, "heads": 2, "patch_px": 4, "channels": 3, "grid": 4}
_SHARE_OF_FOLDERS = 0.25


def trial(rng: np.random.Generator, folder: pathlib.Path) -> None:
    """Damage one weights file and load it.

    Args:
        rng: Decides the file and the damage.
        folder: An empty folder to write into.

    Raises:
        AssertionError: A claim of this module breaks.
    """
    if rng.random() < _SHARE_OF_FOLDERS:
        _damaged_folder(rng, folder)
        return
    names = list(_originals())
    name = names[int(rng.integers(len(names)))]
    data = _originals()[name]
    for _ in range(int(rng.integers(1, 3))):
        if len(data) > _MOST:
            data = _DAMAGES[int(rng.integers(len(_DAMAGES)))](rng, data)
    path = folder / name
    path.write_bytes(data)
    weights = _loaded(lambda: load(path), path)
    if weights is not None:
        _require_network(path, weights)
    # Warm starts read the same files for themselves.
    _loaded(lambda: read_first_weights(str(path)).shape, path)


def _damaged_folder(rng: np.random.Generator, folder: pathlib.Path) -> None:
    """A transformers folder of DINOv2, one of its JSON files damaged in a value or in bytes."""
    for name, data in _folder_files().items():
        (folder / name).write_bytes(data)
    names = ("config.json", "preprocessor_config.json", "model.safetensors.index.json")
    path = folder / names[int(rng.integers(len(names)))]
    content = json.loads(path.read_bytes())
    if rng.random() < 0.7:
        field = list(content)[int(rng.integers(len(content)))]
        content[field] = _VALUES[int(rng.integers(len(_VALUES)))]
        path.write_text(json.dumps(content))
    else:
        path.write_bytes(_BYTES[int(rng.integers(len(_BYTES)))](rng, path.read_bytes()))
    _loaded(lambda: _by_name(folder), folder)
    _loaded(lambda: read_first_weights(str(folder)).shape, folder)


def _by_name(folder: pathlib.Path) -> Weights:
    from featbank.sources.backbones_by_name import named_backbone

    spec, options = named_backbone(EmbedOptions(model=f"hf:{folder}", dataset="x"))
    return load_weights(spec, options)


@functools.cache
def _folder_files() -> dict[str, bytes]:
    from featbank.backbones import BACKBONES
    from featbank.backbones.building.exports import to_transformers
    from featbank.layers.vit import random_state
    from featbank.layers.vit_config import VitConfig

    config = {**BACKBONES["dinov2-small"].config, **_DINOV2, "mlp_dim": 128}
    _, settings, state = to_transformers(config, random_state(VitConfig(**config), 0))
    names = sorted(state)
    shards = {"model-1-of-2.safetensors": names[::2], "model-2-of-2.safetensors": names[1::2]}
    index = {"metadata": {}, "weight_map": {n: file for file in shards for n in shards[file]}}
    processor = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.1, 0.2, 0.3], "do_rescale": True}
    processor |= {"do_normalize": True, "rescale_factor": 1 / 255}
    return {
        "config.json": json.dumps(settings).encode(),
        "preprocessor_config.json": json.dumps(processor).encode(),
        "model.safetensors.index.json": json.dumps(index).encode(),
        **{file: save({n: state[n].contiguous() for n in shards[file]}) for file in shards},
    }


def _loaded(loading: Callable[[], Loaded], path: pathlib.Path) -> Loaded | None:
    try:
        return loading()
    except FeatbankError as error:
        line = str(error)
        assert path.name in line, f"does not name its file: {line}"
        assert line.isprintable(), f"more than one line, or control characters: {line!r}"
        assert not any(word in line for word in _TORCHS_WORDS), f"torch's words: {line}"
    except Exception as error:
        raise AssertionError(f"{path.name}: {type(error).__name__}: {error}") from error
    return None


def _require_network(path: pathlib.Path, weights: Weights) -> None:
    expected = {name: tuple(v.shape) for name, v in _empty(weights.config).items()}
    found = {name: tuple(v.shape) for name, v in weights.state.items()}
    assert found == expected, f"{path.name}: other tensors than the network's"
    assert all(bool(torch.isfinite(v).all()) for v in weights.state.values())
    with np.errstate(all="ignore"):
        assert features(weights).shape[0] == 2


def _empty(config: dict[str, object]) -> dict[str, torch.Tensor]:
    from featbank.backbones.building.vit_build import empty_state

    return dict(empty_state({**small().config, **config}))
