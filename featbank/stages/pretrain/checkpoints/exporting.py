"""A checkpoint as a folder that other libraries open: transformers, timm."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.checkpoints import read_checkpoint, read_encoder
from featbank.bank.files_together import files_together
from featbank.disk import write_new
from featbank.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.bank.checkpoints import Checkpoint

LIBRARIES = ("transformers", "timm")
WEIGHTS, CONFIG, PROCESSOR = "model.safetensors", "config.json", "preprocessor_config.json"
TIMM_ARGUMENTS, ORIGIN = "timm_arguments.json", "featbank.json"
_UINT8_MAX, _RGB_COUNT = 255.0, 3
# PIL's number of bicubic interpolation, with which embed resizes.
_BICUBIC = 3


@dataclass(frozen=True, kw_only=True)
class Export:
    """What was written.

    Attributes:
        folder: Where.
        network: Class that opens it, in words.
        files: Names of the files.
        notes: What a user must know, a sentence each.
    """

    folder: Path
    network: str
    files: tuple[str, ...]
    notes: tuple[str, ...]


def export_checkpoint(path: Path, *, to: str, out: Path) -> Export:
    """Write a checkpoint's encoder under another library's names.

    Args:
        path: The checkpoint's folder.
        to: ``transformers`` or ``timm``.
        out: Folder to write, which must not hold files yet.

    Raises:
        MissingPathError: There is no checkpoint at this path.
        UsageError: Another library, or a folder that holds files.
        WeightsError: A damaged checkpoint, or a network that the library does not have.
    """
    if to not in LIBRARIES:
        raise UsageError(f"--to {to}", "no such library", " or ".join(LIBRARIES), "Choose one.")
    if out.exists() and any(out.iterdir()):
        raise UsageError(
            f"--out {out}", "holds files already", "a new or empty folder", "Name another."
        )
    record = read_checkpoint(path)
    network, settings, tensors = _converted(path, record, to)
    _write(out, {**settings, ORIGIN: asdict(record)}, tensors)
    return Export(
        folder=out,
        network=network,
        files=tuple(sorted([WEIGHTS, ORIGIN, *settings])),
        notes=_notes(record, settings),
    )


def _converted(
    path: Path, record: Checkpoint, to: str
) -> tuple[str, dict[str, dict[str, Any]], dict[str, Any]]:
    """The network in words, JSON files by name, tensors by name."""
    import torch

    from featbank.backbones.building.exports import timm_arguments, to_timm, to_transformers

    state = {name: torch.from_numpy(values) for name, values in read_encoder(path).items()}
    if to == "timm":
        arguments = timm_arguments(record.config)
        tensors = dict(to_timm(record.config, state))
        name = "timm.models.vision_transformer.VisionTransformer"
        return name, {TIMM_ARGUMENTS: arguments}, tensors
    name, config, found = to_transformers(record.config, state)
    processor = _processor(record)
    return f"transformers.{name}", {CONFIG: config, **processor}, dict(found)


def _processor(record: Checkpoint) -> dict[str, dict[str, Any]]:
    """How transformers prepares eight-bit RGB; nothing for other bands, which it cannot read."""
    units = {str(band["unit"]) for band in record.bands}
    if units != {"uint8"} or len(record.bands) != _RGB_COUNT:
        return {}
    mean, std = (np.asarray(record.statistics[name]) / _UINT8_MAX for name in ("mean", "std"))
    side = record.image_px
    return {
        PROCESSOR: {
            "image_processor_type": "ViTImageProcessor",
            "do_resize": True,
            "size": {"height": side, "width": side},
            "resample": _BICUBIC,
            "do_rescale": True,
            "rescale_factor": 1 / _UINT8_MAX,
            "do_normalize": True,
            "image_mean": mean.tolist(),
            "image_std": std.tolist(),
        }
    }


def _notes(record: Checkpoint, settings: dict[str, Any]) -> tuple[str, ...]:
    if PROCESSOR in settings:
        return ()
    bands = ", ".join(f"{band['name']} ({band['unit']})" for band in record.bands)
    return (f"give it {bands}, normalised by the statistics in {ORIGIN}",)


def _write(out: Path, texts: dict[str, Any], tensors: dict[str, Any]) -> None:
    from safetensors.torch import save

    out.mkdir(parents=True, exist_ok=True)
    with files_together(out) as hidden:
        whole = {name: value.contiguous() for name, value in tensors.items()}
        # The library asks for this before it loads a file.
        write_new(hidden(WEIGHTS), save(whole, metadata={"format": "pt"}))
        for name, content in texts.items():
            write_new(hidden(name), json.dumps(content, indent=1).encode())
        hidden.give_names()
