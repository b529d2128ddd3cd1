"""Rehearsing a pretraining run: everything it would do, and what it would take; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from featbank.bank.checkpoints import TRAINING, is_checkpoint, read_checkpoint

if TYPE_CHECKING:
    from torch import nn

    from featbank.methods.views.crop_recipe import CropRecipe
    from featbank.stages.pretrain.plan import PretrainPlan

# AdamW keeps two moments of each parameter that is trained.
_MOMENTS, _FLOAT_BYTES = 2, 4


def rehearse_pretrain(plan: PretrainPlan) -> dict[str, Any]:
    """What a run would do, in words and numbers."""
    dataset, length, config = plan.imagery.dataset, plan.length, plan.request.config
    statistics = plan.inputs.statistics
    return {
        "checkpoint": str(plan.path),
        "state": _state(plan),
        "method": f"{plan.method.name}: {plan.method.summary}",
        "dataset": f"{dataset.name}, {len(plan.rows)} of {len(dataset.samples)} chips",
        "bands": ", ".join(f"{band.name} ({band.unit})" for band in dataset.bands),
        "channels": ", ".join(band.name for band in plan.channels),
        "normalise": statistics.method,
        "statistics": statistics.source,
        "model": f"{plan.options.model}, patches of {config['patch_px']} px, starts {_start(plan)}",
        **_sizes(plan),
        "views": "; ".join(_view(crop) for crop in plan.crops),
        "epochs": round(length.steps / length.steps_per_epoch, 2),
        "steps": f"{length.steps} of {length.batch_size} chips, {length.steps_per_epoch} an epoch",
        "chips_seen": length.steps * length.batch_size,
        "compute_dtype": plan.compute_dtype,
        "hyper": dict(plan.recipe["hyper"]),
        "notes": list(plan.notes),
        "looked_at": len(plan.look.rows),
        "refused": {str(dataset.samples.ids[row]): why for row, why in plan.look.refused.items()},
        "command": plan.command,
    }


def _start(plan: PretrainPlan) -> str:
    return f"from {plan.origin}" if plan.request.is_warm else plan.origin


def _state(plan: PretrainPlan) -> str:
    if is_checkpoint(plan.path) and read_checkpoint(plan.path).is_finished:
        return "finished"
    is_begun = (plan.path / TRAINING).is_dir()
    return "unfinished; the run goes on from its last saved state" if is_begun else "new"


def _sizes(plan: PretrainPlan) -> dict[str, int]:
    """Parameters, and bytes on disk of the checkpoint and of one saved state."""
    method = plan.method.build(plan.request)
    module = cast("nn.Module", method)
    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    whole = sum(value.numel() for value in module.state_dict().values())
    kept = [*method.kept().values(), *method.heads().values()]
    return {
        "parameters": sum(p.numel() for p in method.encoder.parameters()),
        "trained_parameters": trained,
        "checkpoint_bytes": _FLOAT_BYTES * sum(value.numel() for value in kept),
        "state_bytes": _FLOAT_BYTES * (whole + _MOMENTS * trained),
    }


def _view(crop: CropRecipe) -> str:
    low, high = crop.scale
    return f"{crop.count} {crop.name} of {crop.size_px} px, {low:g} to {high:g} of the chip's area"
