"""Everything that a fine-tuning run needs, settled before its first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import Bank
from featbank.bank.checkpoints import checkpoint_path
from featbank.catalog import suggest
from featbank.errors import DatasetError, ProbeError, UnknownNameError, UsageError
from featbank.recipes.recipe import recipe_id, short_id
from featbank.samples import TRAIN, VAL
from featbank.sources.selection import fingerprint
from featbank.sources.split_gaps import schemes_with
from featbank.stages.embed.plan import plan_embed
from featbank.stages.finetune.options import check_numbers, embed_options, trained_blocks
from featbank.stages.probe.shots import draw_shots

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.samples import LabelSet, Samples
    from featbank.sources.opening import FetchProgress
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.stages.finetune.options import FinetuneOptions

# Raised whenever the same options would give other weights.
ALGORITHM = 2
_FEATURES = ("cls", "mean")


@dataclass(frozen=True, kw_only=True)
class FinetunePlan:
    """A fine-tuning run, settled.

    Attributes:
        options: As the user said.
        embed: How its chips become input, and its backbone.
        label_set: Name of the label set.
        labels: The label set.
        rows: Rows of the dataset by use: ``train`` and ``val``; the latter may be empty.
        features: What the head reads, joined.
        blocks: Number of blocks that learn, from the last.
        recipe: Everything that decides the weights.
        path: The checkpoint's folder.
    """

    options: FinetuneOptions
    embed: EmbedPlan
    label_set: str
    labels: LabelSet
    rows: dict[str, NDArray[np.intp]]
    features: tuple[str, ...]
    blocks: int
    recipe: dict[str, Any]
    path: Path

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return self.path.name

    def targets(self, rows: Array) -> Array:
        """(n,) int64 class indices, or (n, K) float32 0 and 1, of some rows."""
        codes = self.labels.codes[rows]
        return codes.astype(np.float32 if self.labels.is_multilabel else np.int64)


def plan_finetune(
    options: FinetuneOptions, *, progress: FetchProgress | None = None
) -> FinetunePlan:
    """Settle a run: open the dataset, read the weights, choose the rows.

    Args:
        options: As the user said.
        progress: Takes the step of a download, its bytes done and in all.

    Raises:
        FeatbankError: Whatever the options, the dataset and the backbone do not agree on.
    """
    check_numbers(options)
    embed = plan_embed(embed_options(options), progress=progress)
    provides = embed.spec.describe(embed.weights.config)
    if not embed.spec.takes_weights or not provides.patch_px:
        raise UsageError(
            f"--model {options.model}",
            "it has no blocks that could learn",
            "a vision transformer such as vit-small or dinov2-base",
            "Name such a model; probes take any backbone.",
        )
    samples, name = embed.imagery.dataset.samples, embed.imagery.dataset.name
    label_set = _label_set(samples, options.labels, name)
    rows = _rows(embed, label_set, options)
    blocks = trained_blocks(options.train, provides.depth)
    features = tuple(feature for feature in _FEATURES if feature in provides.features)
    recipe = _recipe(options, embed, label_set, rows, features)
    stem = f"finetune-{embed.spec.name.replace(':', '-').replace('/', '--')}"
    path = checkpoint_path(
        Bank(options.bank), dataset=name, name=f"{stem}-{short_id(recipe_id(recipe))}"
    )
    return FinetunePlan(
        options=options,
        embed=embed,
        label_set=label_set,
        labels=samples.labels[label_set],
        rows=rows,
        features=features,
        blocks=blocks,
        recipe=recipe,
        path=path,
    )


def _label_set(samples: Samples, wanted: str | None, dataset: str) -> str:
    if not samples.labels:
        raise DatasetError(
            dataset, "it has no labels", "a labelled dataset", "Use 'featbank pretrain' instead."
        )
    if wanted is None:
        return next(iter(samples.labels))
    if wanted not in samples.labels:
        raise UnknownNameError(
            wanted,
            f"{dataset} has no label set of this name",
            f"one of {', '.join(samples.labels)}",
            suggest(wanted, samples.labels),
        )
    return wanted


def _rows(
    embed: EmbedPlan, label_set: str, options: FinetuneOptions
) -> dict[str, NDArray[np.intp]]:
    dataset, scheme = embed.imagery.dataset, embed.imagery.scheme
    samples, codes = dataset.samples, dataset.samples.labels[label_set].codes
    known = (codes >= 0).all(axis=1) if codes.ndim == 2 else codes >= 0
    if samples.exclude is not None:
        known = known & (samples.exclude == "")
    split = samples.splits[scheme]
    train, val = (np.flatnonzero(known & (split == code)) for code in (TRAIN, VAL))
    present = codes[train].any(axis=0).sum() if codes.ndim == 2 else len(np.unique(codes[train]))
    if present < (1 if codes.ndim == 2 else 2):
        raise ProbeError(
            dataset.name,
            f"the train split of '{scheme}' holds {len(train)} labelled samples of {present} "
            "classes",
            "two classes or more",
            dataset.splits_from or schemes_with(samples, TRAIN, but=scheme),
        )
    if options.shots is not None:
        train = _few(train, codes, dataset.samples.labels[label_set].classes, options)
    return {"train": train, "val": val}


def _few(
    train: NDArray[np.intp], codes: Array, classes: tuple[str, ...], options: FinetuneOptions
) -> NDArray[np.intp]:
    """As many training samples of each class, drawn by the seed."""
    shots, rng = options.shots or 0, np.random.default_rng(options.seed)
    drawn = draw_shots(codes, train, n_classes=len(classes), shots=shots, rng=rng)
    if drawn.short:
        k, held = next(iter(drawn.short.items()))
        raise ProbeError(
            f"--shots {shots}",
            f"class '{classes[k]}' has {held} training samples",
            f"{shots} or more of every class that is present",
            "Ask for fewer shots.",
        )
    return drawn.rows


def _recipe(
    options: FinetuneOptions,
    embed: EmbedPlan,
    label_set: str,
    rows: dict[str, NDArray[np.intp]],
    features: tuple[str, ...],
) -> dict[str, Any]:
    """Everything that decides the weights; no path, device, worker count or time."""
    samples = embed.imagery.dataset.samples
    decided = (
        *("shots", "train", "lora", "epochs", "batch_size", "lr", "weight_decay", "layer_decay"),
        *("schedule", "warmup_epochs", "flip", "quarter_turns", "colour", "drop_path", "keep"),
        "seed",
    )
    return {
        "algorithm": ALGORITHM,
        "stage": "finetune",
        "dataset": embed.recipe["dataset"],
        "input": embed.recipe["input"],
        "model": embed.recipe["model"],
        "compute_dtype": embed.recipe["compute_dtype"],
        "label_set": label_set,
        "split_scheme": embed.imagery.scheme,
        "train_samples": fingerprint(samples.take(rows["train"])),
        "val_samples": len(rows["val"]),
        "features": list(features),
        **{name: getattr(options, name) for name in decided},
    }
