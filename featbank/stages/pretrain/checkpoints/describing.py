"""What a checkpoint says of itself, from the plan of its run."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from featbank.bank.checkpoints import Checkpoint, band_records
from featbank.bank.environment import environment, peak_memory
from featbank.recipes.recipe import recipe_id

if TYPE_CHECKING:
    from featbank.stages.pretrain.plan import PretrainPlan
    from featbank.stages.pretrain.scale.parallel import Place


def described(plan: PretrainPlan, place: Place, *, steps: int, is_finished: bool) -> Checkpoint:
    """The record of a run after some of its steps.

    Args:
        plan: The run.
        place: Where it computes.
        steps: Optimiser steps done.
        is_finished: Whether nothing is left to do.
    """
    return Checkpoint(
        name=plan.path.name,
        config=dict(plan.request.config),
        bands=band_records(plan.channels),
        image_px=plan.request.image_px,
        statistics=asdict(plan.inputs.statistics),
        default_feature=plan.method.default_feature,
        recipe=plan.recipe,
        recipe_id=recipe_id(plan.recipe),
        saw=plan.saw,
        steps=steps,
        is_finished=is_finished,
        origin=plan.origin,
        licence=plan.licence,
        command=plan.command,
        environment=_environment(plan, place),
    )


def _environment(plan: PretrainPlan, place: Place) -> dict[str, Any]:
    return {
        **environment(place.device, plan.length.batch_size, compiled=plan.options.compile),
        **peak_memory(place.device),
        "processes": place.world,
        "workers": plan.imagery.workers,
        "sharded": plan.options.shard,
        "compute_dtype": plan.compute_dtype,
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
