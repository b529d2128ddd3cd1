"""Images a second of a whole training run over a bare step written by hand, method by method.

The bare step has the same model, method, optimiser settings and views, on chips that were read and
normalised before the clock starts; it logs, watches and saves nothing. The whole run reads chips
from files, and its time includes starting the readers, decoding every chip, logging every step, the
watch over collapse and saving a state and a checkpoint an epoch. Rounds of both alternate.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from featbank.bank.checkpoints import LOG
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.planning import plan_pretrain
from featbank.stages.pretrain.run import pretrain, training_of
from featbank.stages.pretrain.scale.parallel import Place
from featbank.stages.pretrain.steps.draws import Draws
from featbank.stages.pretrain.steps.feed import Feed
from featbank.stages.pretrain.steps.schedules import numbers_at

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.stages.pretrain.plan import PretrainPlan

# Runs of half a minute on two cores. The networks and views are small, so that what a run does
# beside its steps weighs more than it would in earnest.
_HEADS = {"warmup_epochs": 0, "prototypes": 1024}
METHODS: dict[str, dict[str, Any]] = {
    "mae": {"image_size": 96, "epochs": 2, "hyper": {"warmup_epochs": 0}},
    "dino": {"limit": 288, "epochs": 2, "hyper": _HEADS},
    "dinov2": {"limit": 288, "epochs": 2, "hyper": {**_HEADS, "patch_prototypes": 1024}},
}
ROUNDS = 3
# Batches that the bare step goes through again and again.
PREMADE = 4


def measure(shared: Path) -> dict[str, Any]:
    return {method: compared(shared, method) for method in METHODS}


def compared(
    shared: Path, method: str, *, rounds: int = ROUNDS, **changes: Any
) -> dict[str, float | list[float]]:
    """Rates of the whole run and of the bare step, and their ratio round by round."""
    whole, steady, bare = [], [], []
    for seed in range(rounds):
        with tempfile.TemporaryDirectory() as bank:
            plan = planned(shared, method, Path(bank), seed=seed, **changes)
            bare.append(bare_rate(plan))
            report = pretrain(plan)
            whole.append(report.rate)
            steady.append(float(pd.read_parquet(plan.path / LOG)["images_per_s"].median()))
    ratios = [a / b for a, b in zip(whole, bare, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "whole": round(statistics.median(whole), 1),
        "steady": round(statistics.median(steady), 1),
        "bare": round(statistics.median(bare), 1),
    }


def planned(shared: Path, method: str, bank: Path, **changes: Any) -> PretrainPlan:
    settings: dict[str, Any] = {
        "model": "vit-tiny",
        "dataset": str(shared / "data" / "aid100"),
        "image_size": 64,
        "batch_size": 32,
        **METHODS[method],
    }
    return plan_pretrain(PretrainOptions(method=method, bank=bank, **{**settings, **changes}))


def bare_rate(plan: PretrainPlan) -> float:
    """Images a second of the step alone."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = training_of(plan, Place(rank=0, world=1, device=device))
    chips = premade(plan, device)
    module: Any = run.trained.module
    module.train()
    trained = [p for p in module.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-4, fused=True)
    steps, start = max(4, plan.length.steps // 2), 0.0
    for step in range(steps + 1):
        if step == 1:
            wait(device)
            start = time.perf_counter()
        draws = Draws(seed=0, step=step, total=plan.length.batch_size, rows=range(len(chips[0])))
        numbers = numbers_at(run.schedules, min(step, plan.length.steps - 1))
        with torch.autocast(device.type, torch.bfloat16, enabled=run.dtype == "bfloat16"):
            out = module(run.views(step)(chips[step % len(chips)], draws), draws, numbers)
        optimiser.zero_grad(set_to_none=True)
        out.loss.backward()
        if run.clip:
            torch.nn.utils.clip_grad_norm_(trained, run.clip)
        module.before_update(numbers)
        optimiser.step()
        module.after_update(numbers)
    wait(device)
    return steps * plan.length.batch_size / (time.perf_counter() - start)


def premade(plan: PretrainPlan, device: torch.device) -> list[Tensor]:
    """Batches of normalised chips, on the device."""
    place = Place(rank=0, world=1, device=device)
    run, feed = training_of(plan, place), Feed(plan, place)
    try:
        found = zip(range(PREMADE), feed.batches(0), strict=False)
        return [torch.cat([run.prepare(group) for group in b.groups]).clone() for _, b in found]
    finally:
        feed.close()


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
