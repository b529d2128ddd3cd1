"""The recipe of a pretraining run: what is hashed into its id; and the command rebuilt from it."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.backbones.answers import PART
from featbank.datasets import DATASETS
from featbank.sources.selection import fingerprint
from featbank.sources.weights import answer_words
from featbank.stages.pretrain.settings.hyper import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.backbone import Config
    from featbank.inputs.adapters import Adapted
    from featbank.inputs.preprocess import InputRecipe
    from featbank.methods.method import Length, MethodSpec
    from featbank.methods.views.crop_recipe import CropRecipe
    from featbank.stages.pretrain.options import PretrainOptions
    from featbank.stages.pretrain.plan import PretrainPlan
    from featbank.stages.pretrain.settings.training_imagery import Reading
    from featbank.stages.pretrain.weights.starting import Start

# Raised whenever the same recipe would give other weights, so that old checkpoints keep theirs.
ALGORITHM = 2
_USUAL_BANK = Path("bank")


@dataclass(frozen=True, kw_only=True)
class RunParts:
    """What a recipe is made of.

    Attributes:
        options: As the user said.
        method: The method's record.
        hyper: Its hyper-parameters.
        config: Architecture of the encoder.
        image_px: Side of the largest view.
        start: What it starts from.
        teacher: What the recipe says of a teacher; None without.
        reading: The imagery and its rows.
        adapted: Channels of the bands.
        inputs: How pixels become channels.
        crops: Views of a chip.
        length: Steps and batch.
        compute_dtype: ``bfloat16`` or ``float32``.
    """

    options: PretrainOptions
    method: MethodSpec
    hyper: Mapping[str, Any]
    config: Config
    image_px: int
    start: Start
    teacher: Mapping[str, Any] | None
    reading: Reading
    adapted: Adapted
    inputs: InputRecipe
    crops: tuple[CropRecipe, ...]
    length: Length
    compute_dtype: str


def run_recipe(parts: RunParts) -> dict[str, Any]:
    """Everything that decides a checkpoint's weights; no path, device, worker count or time."""
    options, length = parts.options, parts.length
    recipe = {
        "algorithm": ALGORITHM,
        "method": parts.method.name,
        "hyper": as_json(
            {
                **parts.hyper,
                "epochs": length.steps / length.steps_per_epoch,
                "batch_size": length.batch_size,
            }
        ),
        "model": {"name": options.model, "config": dict(parts.config)},
        "start": dict(parts.start.recipe),
        "teacher": parts.teacher,
        "dataset": _dataset(parts),
        "input": _input(parts),
        "image_px": parts.image_px,
        "views": [_plain(asdict(crop)) for crop in parts.crops],
        "steps": length.steps,
        "steps_per_epoch": length.steps_per_epoch,
        # Losses that compare the chips of a forward pass see fewer of them.
        "micro_batch": options.micro_batch,
        "compute_dtype": parts.compute_dtype,
        "seed": options.seed,
    }
    plain: dict[str, Any] = _plain(recipe)
    return plain


def saw_of(parts: RunParts) -> dict[str, Any]:
    """What the run reads, as ``Checkpoint.saw`` tells it."""
    reading = parts.reading
    dataset = reading.imagery.dataset
    return {
        "dataset": dataset.name,
        "fingerprint": _fingerprint(reading),
        "split_scheme": reading.imagery.scheme,
        "splits": list(parts.options.splits_seen),
        "samples": len(reading.rows),
    }


def _fingerprint(reading: Reading) -> str:
    return fingerprint(reading.imagery.dataset.samples.take(reading.rows))


def _dataset(parts: RunParts) -> dict[str, Any]:
    dataset = parts.reading.imagery.dataset
    # What a folder is called decides nothing.
    saw = {name: value for name, value in saw_of(parts).items() if name != "dataset"}
    units = [band.unit for band in dataset.bands]
    return {**saw, "units": units, "processing": dataset.processing}


def _input(parts: RunParts) -> dict[str, Any]:
    """Under the names of embed recipes, so that embed follows it."""
    adapted, statistics = parts.adapted, parts.inputs.statistics
    adapter: str | dict[str, Any] = adapted.name
    if adapted.weights is not None:
        channels = [channel.name for channel in adapted.channels]
        weights = [list(row) for row in adapted.weights]
        adapter = {"name": adapted.name, "channels": channels, "weights": weights}
    return {
        "bands": list(parts.inputs.bands),
        "adapter": adapter,
        "normalise": {
            "method": statistics.method,
            "mean": list(statistics.mean),
            "std": list(statistics.std),
            "source": statistics.source,
        },
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A value as it comes back from JSON."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def run_command(parts: RunParts) -> str:
    """The command that makes the checkpoint, rebuilt from its recipe: no path of this machine."""
    options, reading = parts.options, parts.reading
    name = reading.imagery.dataset.name
    dataset = name if name in DATASETS else f"path/to/{name}"
    words = ["featbank", "pretrain", "--method", parts.method.name, "--model", options.model]
    words += ["--dataset", dataset]
    words += ["--weights", parts.start.origin] if options.weights is not None else []
    words += answer_words({**options.answers, **_part(parts)})
    words += ["--teacher", str(parts.teacher["name"])] if parts.teacher else []
    words += ["--unit", options.unit] if options.unit is not None else []
    words += ["--bands", ",".join(parts.inputs.bands)]
    words += ["--adapt", parts.adapted.name] if parts.adapted.name != "none" else []
    words += ["--normalise", parts.inputs.statistics.method]
    words += ["--image-size", str(parts.image_px), *_network_words(parts)]
    words += ["--steps", str(parts.length.steps), "--batch-size", str(parts.length.batch_size)]
    words += ["--split-scheme", reading.imagery.scheme]
    words += ["--splits-seen", ",".join(options.splits_seen)]
    for option, value in (("--limit", options.limit), ("--chips", options.chips)):
        words += [option, str(value)] if value is not None else []
    words += ["--micro-batch", str(options.micro_batch)] if options.micro_batch else []
    for name, value in as_json(parts.hyper).items():
        if value != as_json(parts.method.hyper)[name]:
            words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return shlex.join([*words, "--dtype", parts.compute_dtype, "--seed", str(options.seed)])


def _part(parts: RunParts) -> dict[str, Any]:
    """The part that was asked for, by its whole name."""
    named = {PART.name: parts.start.recipe.get(PART.name)}
    return named if PART.name in parts.options.answers else {}


def next_command(plan: PretrainPlan) -> str:
    """The command that embeds the same dataset with the checkpoint, on this machine."""
    options = plan.options
    words = ["featbank", "embed", "--model", str(plan.path), "--dataset", options.dataset]
    words += ["--chips", str(options.chips)] if options.chips is not None else []
    words += ["--unit", options.unit] if options.unit is not None else []
    words += ["--data-root", str(options.data_root)] if options.data_root is not None else []
    words += ["--bank", str(options.bank)] if options.bank != _USUAL_BANK else []
    return shlex.join(words)


def _network_words(parts: RunParts) -> list[str]:
    options, config = parts.options, parts.config
    words = ["--patch", str(config["patch_px"])] if options.patch is not None else []
    words += ["--registers", str(config["registers"])] if options.registers is not None else []
    words += ["--ffn", options.ffn] if options.ffn is not None else []
    if options.layer_scale is not None:
        words.append("--layer-scale" if options.layer_scale else "--no-layer-scale")
    return words
