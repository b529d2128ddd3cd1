"""What a user may say about pretraining, exactly as said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class PretrainOptions:
    """Options of ``featbank pretrain``.

    Attributes:
        method: Name in the catalog of methods.
        model: Backbone to train: a vision transformer of the catalog, such as ``vit-small``.
        dataset: Catalog name, or path of a folder.
        weights: What to start from: a weights file, a transformers folder, a hub id or a
            checkpoint; None starts at random.
        answers: What the weights file does not tell: ``part``, which of its networks; ``heads``.
        teacher: Checkpoint of a frozen teacher, for methods that need one.
        hyper: Hyper-parameters in place of the method's own, by name.
        epochs: Times that every chip is seen; None takes the method's.
        steps: Optimiser steps, instead of epochs.
        batch_size: Chips of one optimiser step, over all processes; None takes the method's.
        micro_batch: Chips of one forward pass in each process; None takes all of the process's
            share at once.
        image_size: Side of the largest view in pixels; None takes the model's.
        patch: Side of a patch in pixels; None takes the model's.
        registers: Number of register tokens; None takes the model's.
        layer_scale: Whether residual branches are scaled; None takes the model's.
        ffn: ``mlp`` or ``swiglu``; None takes the model's.
        inflate: ``mean`` or ``wavelength``: how a patch embedding of other bands is carried over.
        frozen_encoder: Whether the encoder stays as it is and only the rest learns.
        bands: ``all``, ``rgb``, a sensor, or names.
        adapt: Name in the adapters catalog that makes whole channels, such as ``pca3``.
        normalise: Name in ``featbank.inputs.normalise.METHODS``; None for ``dataset``.
        split_scheme: Split scheme; None for the first.
        splits_seen: Splits whose chips are trained on.
        splits: Split lists, a file or a folder; None takes those beside the imagery.
        unit: What the numbers of a folder of images are; None for what the files tell.
        limit: Chips of each split to take; None for all.
        chips: Number of chips of a procedural dataset.
        max_invalid: Share of refused chips above which the run stops, 0 to 1.
        probe_every: Epochs between probes on validation chips, or on some of train where there
            are none; 0 for none.
        save_every: Epochs between saved states; None goes by the clock, a minute apart at least.
        keep: Saved states to keep beside the newest.
        log: Further loggers, among ``wandb`` and ``mlflow``.
        dtype: ``auto``, ``bfloat16`` or ``float32``.
        shard: Whether processes share parameters and optimiser state (FSDP2).
        recompute: Whether activations are computed again in the backward pass to save memory.
        compile: Whether the encoder's blocks are compiled.
        workers: Reader processes; None takes one for each core but one.
        cache_gb: Memory in GiB for keeping decoded chips, where all of them fit.
        seed: Seed of weights, views and order.
        data_root: Folder of a named dataset.
        download: Whether to fetch imagery and weights that are not on this machine.
        bank: Folder of the bank.
        device: ``auto``, ``cpu`` or ``cuda``.
        again: Whether to begin anew where a run stands half done.
    """

    method: str
    model: str
    dataset: str
    weights: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    teacher: Path | None = None
    hyper: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    steps: int | None = None
    batch_size: int | None = None
    micro_batch: int | None = None
    image_size: int | None = None
    patch: int | None = None
    registers: int | None = None
    layer_scale: bool | None = None
    ffn: str | None = None
    inflate: str = "mean"
    frozen_encoder: bool = False
    bands: str = "all"
    adapt: str = "none"
    normalise: str | None = None
    split_scheme: str | None = None
    splits_seen: tuple[str, ...] = ("train",)
    splits: Path | None = None
    unit: str | None = None
    limit: int | None = None
    chips: int | None = None
    max_invalid: float = 0.01
    probe_every: int = 0
    save_every: int | None = None
    keep: int = 1
    log: tuple[str, ...] = ()
    dtype: str = "auto"
    shard: bool = False
    recompute: bool = False
    compile: bool = False
    workers: int | None = None
    cache_gb: float = 2.0
    seed: int = 0
    data_root: Path | None = None
    download: bool = False
    bank: Path = Path("bank")
    device: str = "auto"
    again: bool = False
