"""Checkpoints as backbones: found by path or by name in the bank, read, and checked."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.backbones import BACKBONES
from featbank.bank.bank import Bank
from featbank.bank.checkpoints import (
    ENCODER,
    RECORD,
    SEEN_IMAGES,
    checkpoints,
    encoder_sha256,
    is_checkpoint,
    read_checkpoint,
    read_encoder,
    read_seen,
)
from featbank.catalog import suggest
from featbank.errors import UnknownNameError, UsageError, WeightsError
from featbank.sources.loaded_weights import HUB_PREFIX, Weights

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.bank.checkpoints import Checkpoint
    from featbank.datasets import Dataset
    from featbank.sources.embed_options import EmbedOptions

# A column of the store: whether the model was pretrained on the chip.
SEEN_COLUMN = "seen_in_pretraining"
SEEN, _UNSEEN = "yes", "no"


def find_checkpoint(model: str, bank: Path) -> Path | None:
    """Folder of the checkpoint that ``--model`` means; None where it means another model.

    Args:
        model: A path, or the name of a checkpoint of the bank.
        bank: The bank's folder.

    Raises:
        UnknownNameError: Neither a model of the catalog, nor a path, nor in the bank.
    """
    if model in BACKBONES or model.startswith(HUB_PREFIX):
        return None
    path = Path(model)
    if path.name in (RECORD, ENCODER):
        path = path.parent
    if is_checkpoint(path) or path.exists() or os.sep in model:
        return path
    found = [folder for folder in checkpoints(Bank(bank)) if folder.name == model]
    if not found:
        known = [*BACKBONES, *(folder.name for folder in checkpoints(Bank(bank)))]
        raise UnknownNameError(
            model,
            "no model has this name",
            f"one of {', '.join(known)}, or the path of a checkpoint",
            suggest(model, known),
        )
    return found[0]


def checkpoint_backbone(folder: Path, options: EmbedOptions) -> tuple[BackboneSpec, EmbedOptions]:
    """A checkpoint as a backbone, and the options with its folder and its adapter.

    Raises:
        UsageError: ``--weights`` beside it.
        MissingPathError: The folder holds no checkpoint.
        WeightsError: Its record is damaged.
    """
    from featbank.backbones.building.checkpoint_spec import checkpoint_spec

    if options.weights is not None:
        raise UsageError(
            f"--weights {options.weights}",
            f"--model {options.model} is a checkpoint and holds its weights",
            "one of the two",
            "Leave --weights out, or name a model of 'featbank models'.",
        )
    record = read_checkpoint(folder)
    _require_known(record, folder)
    spec = checkpoint_spec(
        name=record.name,
        config=dict(record.config),
        image_px=record.image_px,
        default_feature=record.default_feature,
        licence=record.licence,
    )
    return spec, replace(options, weights=str(folder))


def _require_known(record: Checkpoint, folder: Path) -> None:
    from dataclasses import fields

    from featbank.layers.vit_config import VitConfig

    unknown = sorted(set(record.config) - {field.name for field in fields(VitConfig)})
    if unknown:
        raise WeightsError(
            str(folder / RECORD),
            f"its network has '{unknown[0]}', which this featbank does not know",
            "a network of this featbank",
            "Use the featbank that trained it, or update this one.",
        )


def checkpoint_weights(folder: Path) -> Weights:
    """A checkpoint's encoder.

    Raises:
        WeightsError: The file is missing, damaged, or not what the record describes.
    """
    import torch

    from featbank.backbones.building.vit_build import require_keys

    record = read_checkpoint(folder)
    state = {name: torch.from_numpy(values) for name, values in read_encoder(folder).items()}
    require_keys(record.config, state, str(folder / ENCODER), names="its config's")
    unfinished = f"the checkpoint is of step {record.steps} of a run that has not finished"
    return Weights(
        config=dict(record.config),
        state=state,
        origin=record.name,
        sha256=encoder_sha256(folder),
        notes=() if record.is_finished else (unfinished,),
        is_read=True,
        trained=record,
        seen=read_seen(folder),
    )


def with_seen(dataset: Dataset, weights: Weights) -> Dataset:
    """The dataset with a column that tells on which samples the checkpoint was pretrained.

    Ids are compared inside one dataset, images wherever they stand; nothing is added where the
    checkpoint saw none of them.
    """
    import numpy as np

    samples, none = dataset.samples, frozenset[str]()
    ids, images = (weights.seen.get(name, none) for name in (dataset.name, SEEN_IMAGES))
    seen = np.array([str(sample) in ids for sample in samples.ids])
    if samples.digests is not None:
        seen |= np.array([digest in images for digest in samples.digests])
    if not seen.any():
        return dataset
    column = np.where(seen, SEEN, _UNSEEN).astype(object)
    samples = replace(samples, meta={**samples.meta, SEEN_COLUMN: column})
    return replace(dataset, samples=samples)
