"""Transformers folders: their settings, input statistics and files of weights."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from featbank.errors import MissingPathError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Whole file and index of shards, in the library's order; the second pair is of its older releases.
_KINDS = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
)
_SHARD = re.compile(r"model-(\d+)-of-(\d+)\.safetensors")
_UINT8_MAX = 255.0
# Eight-bit values to 0..1: what processors do where nothing is said.
_RESCALE = 1 / _UINT8_MAX
# What a processor may do beside: sizes and crops are this package's own (the whole chip, resized),
# colours of chips are RGB already, label maps have no part in features.
_TAKEN = frozenset(
    ("do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_pad")
) | {"do_reduce_labels", "do_convert_annotations"}
# Channels that one number for all of them stands for.
_RGB_COUNT = 3


def weights_files(folder: Path) -> list[Path]:
    """Files of a transformers folder's weights, one or several, in order; none where it has none.

    As the library does: the whole file, else the shards that the index names.

    Raises:
        WeightsError: A shard is missing, or the index is damaged.
    """
    loose = sorted(path.name for path in folder.glob("model*.safetensors"))
    for whole, index in _KINDS:
        if (folder / whole).is_file():
            return [folder / whole]
        if (folder / index).is_file():
            return _present(folder, _indexed(folder / index))
        if loose:
            break
    return _present(folder, _all_shards(loose))


def _indexed(index: Path) -> list[str]:
    named = read_object(index).get("weight_map")
    is_map = isinstance(named, dict) and all(isinstance(n, str) for n in named.values())
    if not is_map or not named:
        raise _damaged(index, "names no shards")
    return sorted(set(named.values()))


def indexed_tensors(folder: Path) -> list[str]:
    """Names of tensors in the index of a folder whose weights stand in shards; none without one.

    Raises:
        WeightsError: The index is damaged.
    """
    for whole, index in _KINDS:
        if (folder / whole).is_file():
            return []
        if (folder / index).is_file():
            return sorted(read_object(folder / index)["weight_map"])
    return []


def _present(folder: Path, names: list[str]) -> list[Path]:
    if outside := [name for name in names if "/" in name]:
        raise _damaged(folder, f"its index points outside of it, to {outside[0]}")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise _damaged(folder, f"lacks {', '.join(missing[:2])}")
    return [folder / name for name in names]


def _all_shards(names: list[str]) -> list[str]:
    """Shards of one set, those that are missing too; any other single file is the whole."""
    found = [match for name in names if (match := _SHARD.fullmatch(name))]
    if not found:
        return names[:1]
    width, count = len(found[0][2]), int(found[0][2])
    end = f"-of-{found[0][2]}.safetensors"
    return [f"model-{i:0{width}d}{end}" for i in range(1, min(count, len(names) + 1) + 1)]


def read_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        WeightsError: It cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, "is no JSON") from error
    if not isinstance(content, dict):
        raise _damaged(path, f"holds a {type(content).__name__}")
    return content


def read_settings(folder: Path) -> dict[str, Any]:
    """``config.json`` of a transformers folder.

    Raises:
        MissingPathError: It holds none.
        WeightsError: It is damaged.
    """
    if not (folder / "config.json").is_file():
        raise MissingPathError(
            str(folder), "holds no config.json", "a transformers folder", "Check the path."
        )
    return read_object(folder / "config.json")


def read_processor(folder: Path) -> dict[str, Any]:
    """What a folder's processor does to values, as ``image_mean`` and ``image_std`` of 0..1.

    ``do_rescale``, ``rescale_factor`` and ``do_normalize`` are worked into the numbers.

    Returns:
        The two, three numbers each, and ``image_px``, the side of the square that it makes; without
        what the folder does not tell.

    Raises:
        WeightsError: It is damaged, or does something else that changes the numbers.
    """
    path = folder / "preprocessor_config.json"
    found: object = read_object(path) if path.is_file() else None
    if found is None:
        path = folder / "processor_config.json"
        found = read_object(path).get("image_processor") if path.is_file() else None
    if not isinstance(found, dict):
        return {}
    return {**input_statistics(found, str(path)), **_side(found)}


def _side(processor: Mapping[str, Any]) -> dict[str, int]:
    """Side in pixels of what a processor makes, where it makes squares."""
    is_cropped = processor.get("do_center_crop") and processor.get("crop_size")
    size = processor.get("crop_size") if is_cropped else processor.get("size")
    if isinstance(size, dict):
        sides = {size.get("height"), size.get("width")}
        size = sides.pop() if len(sides) == 1 else None
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        return {}
    return {"image_px": size}


def input_statistics(processor: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Mean and deviation of 0..1 that give what a processor gives; see ``read_processor``.

    Args:
        processor: Content of ``preprocessor_config.json``.
        source: File, for messages.

    Example:
        >>> raw = {"image_mean": [127.5] * 3, "image_std": [255.0] * 3, "do_rescale": False}
        >>> input_statistics(raw, "p.json")
        {'image_mean': [0.5, 0.5, 0.5], 'image_std': [1.0, 1.0, 1.0]}
    """
    for name, value in processor.items():
        is_other = (name.startswith("do_") and name not in _TAKEN) or name in ("offset",)
        if is_other and value:
            raise _other(source, name, value)
    if not _flag(processor, "do_normalize", source):
        mean, std = [0.0] * _RGB_COUNT, [1.0] * _RGB_COUNT
    elif "image_mean" not in processor or "image_std" not in processor:
        return {}
    else:
        mean = _numbers(processor, "image_mean", source)
        std = _numbers(processor, "image_std", source)
    factor = _factor(processor, source)
    if min(std) <= 0 or len(std) != len(mean):
        raise _other(source, "image_std", processor.get("image_std"))
    if len(mean) != _RGB_COUNT:
        # Of other bands: nothing that a processor of RGB could be asked for.
        return {}
    if not math.isclose(factor, _RESCALE, rel_tol=1e-9):
        mean, std = ([value * _RESCALE / factor for value in each] for each in (mean, std))
    return {"image_mean": mean, "image_std": std}


def _factor(processor: Mapping[str, Any], source: str) -> float:
    if not _flag(processor, "do_rescale", source):
        return 1.0
    value = processor.get("rescale_factor", _RESCALE)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise _other(source, "rescale_factor", value)
    return float(value)


def _flag(processor: Mapping[str, Any], name: str, source: str) -> bool:
    value = processor.get(name)
    if value is not None and not isinstance(value, bool):
        raise _other(source, name, value)
    return value is not False


def _numbers(processor: Mapping[str, Any], name: str, source: str) -> list[float]:
    value = processor[name]
    values = value if isinstance(value, list) else [value] * _RGB_COUNT
    good = [
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values
    ]
    if not values or not all(good):
        raise _other(source, name, value)
    return [float(v) for v in values]


def _other(source: str, name: str, value: object) -> WeightsError:
    return WeightsError(
        source,
        f"says {name if name.isprintable() else ascii(name)} {value!r}"[:200],
        "rescaling and normalising of 8-bit RGB alone",
        "Correct the file; or take it away and pass --normalise.",
    )


def _damaged(path: Path, what: str) -> WeightsError:
    return WeightsError(
        str(path), what, "what model.save_pretrained(folder) writes", "Fetch the folder again."
    )
