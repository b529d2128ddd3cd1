"""Checkpoints: encoder weights with what they are, how they came about, and what they saw.

A checkpoint is a folder: ``checkpoint.json``, ``encoder.safetensors``, ``heads.safetensors`` where
the method has heads, ``log.parquet`` with one row a step, ``curves.png``. While its run goes on,
``training/`` holds the states from which it can be resumed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from featbank.errors import MissingPathError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
RECORD, ENCODER, HEADS = "checkpoint.json", "encoder.safetensors", "heads.safetensors"
LOG, CURVES, TRAINING = "log.parquet", "curves.png", "training"


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


def is_checkpoint(path: Path) -> bool:
    """Whether a path is a checkpoint's folder."""
    return (path / RECORD).is_file()


def record_bytes(checkpoint: Checkpoint) -> bytes:
    """``checkpoint.json`` of a checkpoint."""
    return json.dumps({"format": FORMAT, **asdict(checkpoint)}, indent=1).encode()


def read_checkpoint(path: Path) -> Checkpoint:
    """What a checkpoint says of itself.

    Raises:
        MissingPathError: There is none at this path.
        WeightsError: Its record is damaged, or of another format.
    """
    if not is_checkpoint(path):
        raise MissingPathError(
            str(path), f"holds no {RECORD}", "a checkpoint's folder", "Check the path."
        )
    try:
        content = json.loads((path / RECORD).read_text())
        if content.pop("format") != FORMAT:
            raise ValueError("another format")  # noqa: TRY301 - told below with the rest
        tuples = {name: tuple(content[name]) for name in ("bands", "saw")}
        return Checkpoint(**{**content, **tuples})
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            str(path / RECORD),
            f"is no record of a checkpoint ({type(error).__name__}: {error})",
            f"what 'featbank pretrain' wrote, format {FORMAT}",
            "Train again, or take another copy.",
        ) from error
