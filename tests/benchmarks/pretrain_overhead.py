"""Images a second of a whole training run over a bare step written by hand, method by method.

The bare step has the same model, method, optimiser settings and views, on chips that were read and
normalised before the clock starts; it logs, watches and saves nothing. The whole run reads chips
from files, and its time includes starting the readers, decoding every chip, logging every step, the
watch over collapse, and saving states by the clock and the checkpoint.

Shared machines change their speed by a tenth from one ten seconds to the next, so that the two are
measured in turns of some seconds: the run is held where it reports its progress, its readers too,
while bare steps are done.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from featbank.methods.parts.bundle import Bundle
from featbank.methods.parts.draws import Draws
from featbank.methods.parts.schedules import numbers_at
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.planning import plan_pretrain
from featbank.stages.pretrain.run import pretrain, training_of
from featbank.stages.pretrain.scale.parallel import Place
from featbank.stages.pretrain.steps.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featbank.stages.pretrain.plan import PretrainPlan

# Runs of a minute on two cores. The networks and views are small, so that what a run does beside
# its steps weighs more than it would in earnest.
_HEADS = {"warmup_epochs": 0, "prototypes": 1024}
_MAE = {"method": "mae", "image_size": 96, "epochs": 6, "hyper": {"warmup_epochs": 0}}
_PATCHES = {**_HEADS, "patch_prototypes": 1024}
RUNS: dict[str, dict[str, Any]] = {
    "mae": _MAE,
    "dino": {"method": "dino", "limit": 288, "epochs": 5, "hyper": _HEADS},
    "dinov2": {"method": "dinov2", "limit": 288, "epochs": 5, "hyper": _PATCHES},
    # As a set that does not fit into memory is read: by the cores that compute.
    "mae, chips decoded in every epoch": {**_MAE, "cache_gb": 0.0, "epochs": 3},
}
ROUNDS = 3
# Batches that the bare step goes through again and again.
PREMADE = 4
# Seconds of a turn.
TURN_S = 3.0


def measure(shared: Path) -> dict[str, Any]:
    return {name: compared(shared, **settings) for name, settings in RUNS.items()}


def compared(shared: Path, *, rounds: int = ROUNDS, **settings: Any) -> dict[str, Any]:
    """Rates of the whole run and of the bare step, and their ratio round by round."""
    found = [in_turns(shared, seed=seed, **settings) for seed in range(rounds)]
    ratios = [turns.ratio for turns in found]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "whole": round(statistics.median(turns.whole for turns in found), 1),
        "first_epoch": round(statistics.median(turns.epochs[0] for turns in found), 1),
        "last_epoch": round(statistics.median(turns.epochs[-1] for turns in found), 1),
        "bare": round(statistics.median(turns.bare.rate for turns in found), 1),
    }


def in_turns(shared: Path, **settings: Any) -> Turns:
    with tempfile.TemporaryDirectory() as bank:
        plan = planned(shared, Path(bank), **settings)
        turns = Turns(plan)
        turns.whole = 1 / (1 / pretrain(plan, progress=turns).rate - turns.held_s / turns.images)
    return turns


class Turns:
    """Takes a run's progress, and holds it every few seconds for as many of bare steps.

    Attributes:
        bare: Its steps and their time.
        held_s: How long the run was held.
        images: That the run has seen.
        epochs: Images a second of each epoch that has ended.
        whole: Images a second of the run; set at its end.
    """

    def __init__(self, plan: PretrainPlan) -> None:
        self.bare = BareStep(plan)
        self.held_s, self.images, self.whole = 0.0, 0, 0.0
        self.epochs: list[float] = []
        self._length = plan.length
        self._turn = self._epoch = time.perf_counter()

    def __call__(self, done: int, steps: int) -> None:
        self.images = done * self._length.batch_size
        if done % self._length.steps_per_epoch == 0:
            self._end_epoch()
        if time.perf_counter() - self._turn >= TURN_S or done == steps:
            self._hold()

    @property
    def ratio(self) -> float:
        return self.whole / self.bare.rate

    def _end_epoch(self) -> None:
        images = self._length.batch_size * self._length.steps_per_epoch
        self.epochs.append(images / (time.perf_counter() - self._epoch))
        self._epoch = time.perf_counter()

    def _hold(self) -> None:
        wait(self.bare.device)
        start = time.perf_counter()
        with stopped(children()):
            self.bare.work(TURN_S)
        self._turn = time.perf_counter()
        self.held_s += self._turn - start
        self._epoch += self._turn - start


def children() -> list[int]:
    """Processes that this one has started."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in found.split()]


@contextlib.contextmanager
def stopped(processes: list[int]) -> Iterator[None]:
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def planned(shared: Path, bank: Path, **settings: Any) -> PretrainPlan:
    common: dict[str, Any] = {
        "model": "vit-tiny",
        "dataset": str(shared / "data" / "aid100"),
        "image_size": 64,
        "batch_size": 32,
        "bank": bank,
    }
    return plan_pretrain(PretrainOptions(**{**common, **settings}))


class BareStep:
    """The step alone, again and again.

    Args:
        plan: The run whose step it is.
    """

    def __init__(self, plan: PretrainPlan) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._run = training_of(plan, Place(rank=0, world=1, device=self.device))
        self._chips = premade(plan, self.device)
        self._module: Any = self._run.trained.module
        self._module.train()
        self._trained = [p for p in self._module.parameters() if p.requires_grad]
        self._optimiser = torch.optim.AdamW(self._trained, lr=1e-4, fused=True)
        self._steps, self._length = count(), plan.length
        self._done, self._seconds = 0, 0.0
        # The first step makes what later ones use again.
        self._step(next(self._steps))

    @property
    def rate(self) -> float:
        """Images a second."""
        return self._done * self._length.batch_size / self._seconds

    def work(self, seconds: float) -> None:
        """Do steps for so long."""
        wait(self.device)
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            self._step(next(self._steps))
            self._done += 1
        wait(self.device)
        self._seconds += time.perf_counter() - start

    def _step(self, step: int) -> None:
        run, module = self._run, self._module
        chips = self._chips[step % len(self._chips)]
        draws = Draws(seed=0, step=step, total=self._length.batch_size, rows=range(len(chips)))
        maker = run.views(step)
        views = maker.draw((chips.shape[2], chips.shape[3]), draws.among(draws.rows))
        own = run.drawing.method.draw(draws.among(draws.rows), maker.sides)
        drawn, own = Bundle((views, own), self.device).moved()
        numbers = numbers_at(run.schedules, min(step, self._length.steps - 1))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=run.dtype == "bfloat16"):
            out = module(maker(chips, drawn), own, numbers)
        self._optimiser.zero_grad(set_to_none=True)
        out.loss.backward()
        if run.clip:
            torch.nn.utils.clip_grad_norm_(self._trained, run.clip)
        module.before_update(numbers)
        self._optimiser.step()
        module.after_update(numbers)


def premade(plan: PretrainPlan, device: torch.device) -> list[Tensor]:
    """Batches of normalised chips, on the device."""
    place = Place(rank=0, world=1, device=device)
    run, feed = training_of(plan, place), Feed(plan, place)
    try:
        found = zip(range(PREMADE), feed.batches(0), strict=False)
        # Each before the next is taken, whose chips may lie in the same memory.
        moved = (batch.moved(device) for _, batch in found)
        return [torch.cat([run.prepare(group) for group in b.groups]).clone() for b in moved]
    finally:
        feed.close()


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
