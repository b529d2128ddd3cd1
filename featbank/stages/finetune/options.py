"""What a user may say about fine-tuning, exactly as said."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.errors import UsageError
from featbank.ranges import Check, at_least, require, seed_check, share
from featbank.sources.embed_options import EmbedOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

FULL, FROZEN = "full", "frozen"
_LAST = re.compile(r"last-([1-9]\d*)")
SCHEDULES = ("constant", "cosine")
KEEPS = ("best", "last")


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """Options of ``featbank finetune``; training is as the study of DINOv2 on EuroSAT has it.

    Attributes:
        model: Backbone: a vision transformer of the catalog, ``hf:…``, or a checkpoint's folder.
        dataset: Catalog name, or path of a folder.
        weights: Path of a weights file or of a transformers folder, a hub id, ``random``, or None
            for the publisher's own.
        bands: ``all``, ``rgb``, a sensor, or names.
        adapt: Name in the adapters catalog.
        normalise: Name in ``featbank.inputs.normalise.METHODS``; None for the backbone's own.
        image_size: Side in pixels; None for the backbone's own.
        answers: As ``EmbedOptions`` has them.
        positions: ``original`` or ``transformers``: how DINOv2's positions are interpolated.
        labels: Label set; None for the first.
        split_scheme: Split scheme; None for the first.
        splits: Split lists, a file or a folder; None takes those beside the imagery.
        unit: What the numbers of a folder of images are; None for what the files tell.
        shots: Training samples of each class; None for all.
        train: ``full``, ``frozen`` (the head alone) or ``last-K`` (the last K blocks and the norm).
        lora: Rank of low-rank adapters on the attention's projections, in place of training the
            blocks themselves; 0 for none.
        epochs: Passes over the training samples.
        batch_size: Chips of a step.
        lr: Learning rate of the head and, times the layer decay, of the blocks.
        weight_decay: Of matrices; 0 makes AdamW plain Adam.
        layer_decay: Factor of the learning rate from each block to the one below it.
        schedule: ``constant``, or ``cosine`` to zero.
        warmup_epochs: Epochs in which the learning rate grows from zero.
        flip: Probability of each mirroring.
        quarter_turns: Whether chips are turned by multiples of 90 degrees.
        colour: Largest change of brightness, in standard deviations, and of contrast, as a share.
        drop_path: Largest share of chips that skip a block, linear over the blocks.
        keep: ``best`` keeps the epoch that is best on validation (without validation the last),
            ``last`` the last one.
        dtype: ``auto``, ``bfloat16`` or ``float32``.
        limit: Samples of each split to take; None for all.
        chips: Number of chips of a procedural dataset.
        max_invalid: Share of refused samples above which the run stops, 0 to 1.
        workers: Reader processes; None takes one for each core but one.
        cache_gb: Memory in GiB for keeping decoded chips, where all of them fit.
        seed: Of the head, the order, the chips' distortions, the shots and the intervals.
        resamples: Parts that intervals leave out, at most; 0 gives none.
        data_root: Folder of a named dataset.
        download: Whether to fetch imagery and weights that are not on this machine.
        bank: Folder of the bank.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    model: str
    dataset: str
    weights: str | None = None
    bands: str = "all"
    adapt: str = "none"
    normalise: str | None = None
    image_size: int | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    positions: str | None = None
    labels: str | None = None
    split_scheme: str | None = None
    splits: Path | None = None
    unit: str | None = None
    shots: int | None = None
    train: str = FULL
    lora: int = 0
    epochs: int = 10
    batch_size: int = 32
    lr: float = 1e-4
    weight_decay: float = 0.0
    layer_decay: float = 1.0
    schedule: str = "constant"
    warmup_epochs: float = 0.0
    flip: float = 0.5
    quarter_turns: bool = True
    colour: float = 0.1
    drop_path: float = 0.0
    keep: str = "best"
    dtype: str = "auto"
    limit: int | None = None
    chips: int | None = None
    max_invalid: float = 0.01
    workers: int | None = None
    cache_gb: float = 2.0
    seed: int = 0
    resamples: int = 1000
    data_root: Path | None = None
    download: bool = False
    bank: Path = Path("bank")
    device: str = "auto"


def embed_options(options: FinetuneOptions) -> EmbedOptions:
    """How the same chips are embedded by the same backbone."""
    own = {field.name for field in fields(FinetuneOptions)}
    shared = [field.name for field in fields(EmbedOptions) if field.name in own]
    return EmbedOptions(**{name: getattr(options, name) for name in shared})


def trained_blocks(train: str, depth: int) -> int:
    """Number of blocks, from the last, that learn.

    Args:
        train: ``full``, ``frozen`` or ``last-K``.
        depth: Blocks that there are.

    Raises:
        UsageError: None of these, or more blocks than there are.
    """
    if train in (FULL, FROZEN):
        return depth if train == FULL else 0
    found = _LAST.fullmatch(train)
    if found is None or int(found.group(1)) > depth:
        raise UsageError(
            f"--train {train}",
            "names no part of the network",
            f"full, frozen, or last-1 to last-{depth}",
            "Correct --train.",
        )
    return int(found.group(1))


def check_numbers(options: FinetuneOptions) -> None:
    """Raise for numbers that no run could use, before anything is read.

    Raises:
        UsageError: One of them.
    """
    schedule, keep, decay = options.schedule, options.keep, options.layer_decay
    require(
        (
            at_least("--epochs", options.epochs, 1),
            at_least("--batch-size", options.batch_size, 1),
            at_least("--shots", options.shots, 1),
            Check("--lr", options.lr, 0 < options.lr < math.inf, "above 0"),
            at_least("--weight-decay", options.weight_decay, 0),
            Check("--layer-decay", decay, 0 < decay <= 1, "above 0, at most 1"),
            at_least("--warmup-epochs", options.warmup_epochs, 0),
            share("--flip", options.flip),
            Check("--colour", options.colour, 0 <= options.colour < 1, "0 to below 1"),
            Check("--drop-path", options.drop_path, 0 <= options.drop_path < 1, "0 to below 1"),
            at_least("--lora", options.lora, 0),
            at_least("--cache-gb", options.cache_gb, 0),
            seed_check(options.seed),
            at_least("--resamples", options.resamples, 0),
            Check("--schedule", schedule, schedule in SCHEDULES, " or ".join(SCHEDULES)),
            Check("--keep", keep, keep in KEEPS, " or ".join(KEEPS)),
        )
    )
