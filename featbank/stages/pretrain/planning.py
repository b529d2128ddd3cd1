"""From options to everything that decides a checkpoint, fixed before the first step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.bank.bank import Bank
from featbank.bank.checkpoints import SEEN_IMAGES, checkpoint_path, is_checkpoint, read_checkpoint
from featbank.methods import METHODS
from featbank.methods.method import MethodRequest
from featbank.recipes.recipe import recipe_id, short_id
from featbank.sources.precision import run_dtype
from featbank.stages.pretrain.plan import PretrainPlan
from featbank.stages.pretrain.settings.encoder_config import (
    encoder_config,
    settled_options,
    trainable,
)
from featbank.stages.pretrain.settings.hyper import settled_hyper
from featbank.stages.pretrain.settings.lengths import length_notes, require_numbers, settled_length
from featbank.stages.pretrain.settings.run_recipe import RunParts, run_command, run_recipe, saw_of
from featbank.stages.pretrain.settings.training_imagery import (
    channels_of,
    read_imagery,
    require_choices,
)
from featbank.stages.pretrain.settings.training_rows import require_splits
from featbank.stages.pretrain.steps.high_resolution import require_large_views
from featbank.stages.pretrain.weights.starting import start_of
from featbank.stages.pretrain.weights.teachers import (
    read_teacher,
    require_same_input,
    required_teacher,
    teacher_recipe,
)

if TYPE_CHECKING:
    from featbank.bank.checkpoints import Checkpoint
    from featbank.sources.opening import FetchProgress
    from featbank.stages.pretrain.options import PretrainOptions


def plan_pretrain(
    options: PretrainOptions, *, progress: FetchProgress | None = None
) -> PretrainPlan:
    """Settle a pretraining run: open the dataset, choose chips, fit statistics, take first weights.

    Args:
        options: As the user said.
        progress: Takes the step of a download, its bytes done and in all.

    Raises:
        FeatbankError: Whatever the options, the dataset, the model and the method do not agree on.
    """
    method, spec = METHODS[options.method], trainable(options.model)
    options = settled_options(options, spec)
    hyper = settled_hyper(method, options)
    require_numbers(options)
    require_choices(options)
    require_splits(options.splits_seen)
    # Whatever options alone tell is settled before any chip is read.
    encoder_config(options, spec, channels=1)
    teacher = required_teacher(method, options.teacher)
    reading = read_imagery(options, progress)
    name = reading.imagery.dataset.name
    length = settled_length(options, hyper, chips=len(reading.rows), dataset=name)
    adapted, inputs = channels_of(options, reading, trained=_trained(options, teacher))
    config = encoder_config(options, spec, channels=len(adapted.channels))
    if teacher is not None:
        require_same_input(teacher, config, adapted.channels)
    image_px = config["grid"] * config["patch_px"]
    require_large_views(hyper, image_px=image_px, patch_px=config["patch_px"])
    parts = RunParts(
        options=options,
        method=method,
        hyper=hyper,
        config=config,
        image_px=image_px,
        start=start_of(options, method, config, hyper, adapted.channels),
        teacher=None if options.teacher is None else teacher_recipe(options.teacher),
        reading=reading,
        adapted=adapted,
        inputs=inputs,
        crops=method.crops(hyper, image_px, config["patch_px"]),
        length=length,
        compute_dtype=run_dtype(options.dtype, options.device),
    )
    return _plan(parts)


def _trained(options: PretrainOptions, teacher: Checkpoint | None) -> Checkpoint | None:
    """The checkpoint whose statistics ``--normalise checkpoint`` means."""
    if teacher is not None or options.weights is None:
        return teacher
    folder = Path(options.weights)
    return read_checkpoint(folder) if is_checkpoint(folder) else None


def _plan(parts: RunParts) -> PretrainPlan:
    options, start, reading = parts.options, parts.start, parts.reading
    recipe = run_recipe(parts)
    name = f"{parts.method.name}-{options.model}-{short_id(recipe_id(recipe))}"
    dataset = reading.imagery.dataset.name
    own = length_notes(parts.length, parts.hyper)
    return PretrainPlan(
        options=options,
        method=parts.method,
        hyper=parts.hyper,
        request=_request(parts),
        imagery=reading.imagery,
        rows=reading.rows,
        look=reading.look,
        inputs=parts.inputs,
        channels=parts.adapted.channels,
        crops=parts.crops,
        length=parts.length,
        compute_dtype=parts.compute_dtype,
        recipe=recipe,
        path=checkpoint_path(Bank(options.bank), dataset=dataset, name=name),
        notes=(*reading.notes, *start.notes, *own),
        origin=start.origin,
        licence=start.licence,
        command=run_command(parts),
        **_seen(parts),
    )


def _request(parts: RunParts) -> MethodRequest:
    start, teacher = parts.start, parts.options.teacher
    return MethodRequest(
        config=parts.config,
        state=start.state,
        hyper=parts.hyper,
        seed=parts.options.seed,
        image_px=parts.image_px,
        heads=start.heads,
        is_warm=start.is_warm,
        teacher=None if teacher is None else read_teacher(teacher),
    )


def _seen(parts: RunParts) -> dict[str, Any]:
    """What the checkpoint will have seen; a run without a step sees nothing of its own."""
    start, dataset = parts.start, parts.reading.imagery.dataset
    seen = {name: set(ids) for name, ids in start.seen.items()}
    saw = list(start.saw)
    if parts.length.steps:
        samples = dataset.samples.take(parts.reading.rows)
        seen[dataset.name] = seen.get(dataset.name, set()) | set(map(str, samples.ids))
        if samples.digests is not None:
            seen[SEEN_IMAGES] = seen.get(SEEN_IMAGES, set()) | set(samples.digests.tolist())
        saw.append(saw_of(parts))
    return {"saw": tuple(saw), "seen": {name: sorted(ids) for name, ids in seen.items()}}
