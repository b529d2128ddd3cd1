"""A pretraining run: everything set up, the loop, states on the way, the checkpoint at the end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from featbank.bank.checkpoints import LOG, is_checkpoint, read_checkpoint, write_checkpoint
from featbank.bank.lock import locked
from featbank.errors import FeatbankError
from featbank.inputs.preprocess import Preprocess
from featbank.methods.parts.optimiser import adamw
from featbank.methods.parts.schedules import schedules
from featbank.methods.views.channel_facts import channel_facts
from featbank.recipes.recipe import recipe_id
from featbank.stages.pretrain.all_logs import AllLogs
from featbank.stages.pretrain.checkpoints.describing import described
from featbank.stages.pretrain.logs.logger import LogRequest
from featbank.stages.pretrain.loop import Training, train
from featbank.stages.pretrain.scale.parallel import Engine, ParallelMethod, Place, joined, whole
from featbank.stages.pretrain.states.due import SaveDue
from featbank.stages.pretrain.states.resuming import load_run, run_tensors
from featbank.stages.pretrain.states.saving import State, StateFolder, told_when_disk_fails
from featbank.stages.pretrain.steps.feed import Feed
from featbank.stages.pretrain.steps.high_resolution import views_by_step
from featbank.stages.pretrain.steps.ready import StepDrawing
from featbank.stages.pretrain.watching.recording import Recorder
from featbank.stages.pretrain.watching.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from torch import Tensor, nn

    from featbank.stages.pretrain.plan import PretrainPlan
    from featbank.stages.pretrain.watching.recording import Row

Tell = Callable[[str], None]
Progress = Callable[[int, int], None]
_PROBE = "probe/"
# Takes the checkpoint as it stands, and gives what probes say of it, by name.
Probe = Callable[[Path], Mapping[str, float]]
# A fault has to last for this share of a run, and for so many steps: that is ten measurements.
_PATIENCE_SHARE, _PATIENCE_STEPS = 0.02, 100


@dataclass(frozen=True, kw_only=True)
class PretrainReport:
    """What a pretraining run did.

    Attributes:
        checkpoint: Its folder.
        steps: Optimiser steps of the whole run.
        done: Steps that were done now.
        images: Chips that were trained on now, over all processes, repeats included.
        loss: Of the last step; None where nothing was done.
        seconds: Wall time.
        waited_input_s: Part of it in which the device waited for pixels.
        refused: Reason by sample id, of chips met now by this process.
    """

    checkpoint: Path
    steps: int
    done: int = 0
    images: int = 0
    loss: float | None = None
    seconds: float = 0.0
    waited_input_s: float = 0.0
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Chips a second."""
        return self.images / self.seconds if self.seconds else 0.0

    def sentence(self) -> str:
        """What was done, in one line."""
        if not self.steps:
            return f"{self.checkpoint}: the first weights, untrained."
        if not self.done:
            return f"{self.checkpoint}: already finished, {self.steps} steps."
        refused = f", {len(self.refused)} chips refused" if self.refused else ""
        waited = 100 * self.waited_input_s / self.seconds if self.seconds else 0.0
        return (
            f"{self.checkpoint}: {self.done} of {self.steps} steps{refused} in "
            f"{self.seconds:.1f} s ({self.rate:.0f} chips/s; the device waited {waited:.0f} % of "
            f"it for input), last loss {self.loss:.4f}."
        )

    def as_row(self) -> dict[str, Any]:
        """The report as a plain mapping."""
        return {**asdict(self), "checkpoint": str(self.checkpoint), "rate": self.rate}


def pretrain(
    plan: PretrainPlan,
    *,
    tell: Tell = lambda _: None,
    progress: Progress = lambda _done, _n: None,
    probe: Probe | None = None,
) -> PretrainReport:
    """Make the checkpoint of a plan, or go on with it where a run was cut.

    Args:
        plan: What to train, by which method, on what.
        tell: Takes lines that a person should see; of the first process only.
        progress: Takes steps done and steps in all; of the first process only.
        probe: Takes the checkpoint every ``probe_every`` epochs; what it gives is logged.

    Raises:
        TrainingError: The run collapses or diverges, or a state cannot be saved; the last saved
            state stands.
        RefusedError: More chips are refused than allowed.
        ReadError: The disk or network failed while reading.
        LockedError: Another process writes the checkpoint.
    """
    with joined(plan.options.device) as place, _forked_draws(place.device):
        if not place.is_first:
            return _go_on(plan, place, lambda _: None, lambda _done, _n: None, probe)
        with locked(plan.path, tell=tell):
            return _go_on(plan, place, tell, progress, probe)


def _forked_draws(device: torch.device) -> AbstractContextManager[None]:
    """Leave torch's own random numbers outside as they were, those of other GPUs untouched."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _go_on(
    plan: PretrainPlan, place: Place, tell: Tell, progress: Progress, probe: Probe | None
) -> PretrainReport:
    if _is_finished(plan):
        if place.is_first:
            _states(plan).remove()
        return PretrainReport(checkpoint=plan.path, steps=plan.length.steps)
    return PretrainRun(plan, place, tell, progress, probe).run()


def _is_finished(plan: PretrainPlan) -> bool:
    if plan.options.again or not is_checkpoint(plan.path):
        return False
    return read_checkpoint(plan.path).is_finished


def _states(plan: PretrainPlan) -> StateFolder:
    return StateFolder(plan.path, recipe_id=recipe_id(plan.recipe), keep=plan.options.keep)


class PretrainRun:
    """One run, from the newest state to the end.

    Args:
        plan: What to train.
        place: Where this process stands.
        tell: Takes lines that a person should see.
        progress: Takes steps done and steps in all.
        probe: Takes the checkpoint as it stands.
    """

    def __init__(
        self, plan: PretrainPlan, place: Place, tell: Tell, progress: Progress, probe: Probe | None
    ) -> None:
        self._plan = plan
        self._place = place
        self._progress = progress
        self._probe = probe
        self._tell = tell
        steps = plan.length.steps
        self._training = training_of(plan, place)
        self._states = _states(plan)
        self._is_due = SaveDue(plan, place)
        self._watch = Watch(
            subject=plan.path.name,
            first_judged=round(plan.hyper["warmup_epochs"] * plan.length.steps_per_epoch),
            patience=max(_PATIENCE_STEPS, round(_PATIENCE_SHARE * steps)),
            tell=tell,
        )
        self._start = self._taken_up(tell)
        self._held: Row | None = None
        self._loss: float | None = None

    def run(self) -> PretrainReport:
        """Do every step that is left."""
        start = time.perf_counter()
        with contextlib.closing(Feed(self._plan, self._place, self._tell)) as feed:
            logs = self._opened_logs()
            try:
                self._train(feed, logs)
            except BaseException:
                # The first error is told; a log that cannot be kept either comes second to it.
                with contextlib.suppress(FeatbankError):
                    self._close(logs)
                raise
            self._close(logs)
        return self._report(feed, time.perf_counter() - start)

    def _train(self, feed: Feed, logs: AllLogs | None) -> None:
        length = self._plan.length
        recorder = Recorder(
            self._place,
            batch_size=length.batch_size,
            steps_per_epoch=length.steps_per_epoch,
            waited_s=lambda: feed.waited_s,
        )
        steps = feed.ready(self._start, self._training.drawing)
        for result in train(self._training, steps):
            done = result.step + 1
            self._take(recorder.add(result), logs)
            self._progress(done, length.steps)
            if self._is_due(done):
                # Numbers are judged before what they tell of is saved.
                self._take(recorder.settle(), logs)
                self._save(done, logs)
                recorder.leave_out_time()
        if not length.steps:
            # No step is asked for: the first weights are the checkpoint.
            self._save(0, logs)

    def _take(self, rows: Iterable[Row], logs: AllLogs | None) -> None:
        """Judge and log rows; the newest is held back for what a probe may add to it."""
        for row in rows:
            self._log(logs)
            self._held, self._loss = row, row["loss"]
            self._watch.judge(row)

    def _log(self, logs: AllLogs | None) -> None:
        if self._held is not None and logs is not None:
            with told_when_disk_fails(self._plan.path):
                logs.write(self._held)
        self._held = None

    def _save(self, done: int, logs: AllLogs | None) -> None:
        """The newest checkpoint, what probes say of it, the log, and the state to go on from."""
        training, is_last = self._training, done == self._plan.length.steps
        method = training.trained.method
        encoder = {name: whole(value) for name, value in method.kept().items()}
        heads = {name: whole(value) for name, value in method.heads().items()}
        tensors = {} if is_last else run_tensors(training.trained.module, training.optimiser)
        if not self._place.is_first:
            return
        is_probed = self._probe is not None and self._is_due.is_probed(done)
        if is_probed or not is_last:
            self._write_checkpoint(encoder, heads, steps=done, is_finished=False)
        if is_probed:
            self._add_probe()
        self._log(logs)
        if logs is not None:
            with told_when_disk_fails(self._plan.path):
                logs.flush()
        if is_last:
            # A checkpoint says that it is finished once its log is.
            self._write_checkpoint(encoder, heads, steps=done, is_finished=True)
            self._states.remove()
        else:
            state = State(step=done, tensors=tensors, watch=self._watch.remembered())
            with self._is_due.writing():
                self._states.write(state)

    def _write_checkpoint(
        self,
        encoder: Mapping[str, Tensor],
        heads: Mapping[str, Tensor],
        *,
        steps: int,
        is_finished: bool,
    ) -> None:
        record = described(self._plan, self._place, steps=steps, is_finished=is_finished)
        with told_when_disk_fails(self._plan.path):
            write_checkpoint(self._plan.path, record, encoder, heads, seen=self._plan.seen)

    def _add_probe(self) -> None:
        """Add what probes say of the checkpoint to the newest row."""
        if self._probe is not None and self._held is not None:
            for name, value in self._probe(self._plan.path).items():
                self._held[f"{_PROBE}{name}"] = value

    def _taken_up(self, tell: Tell) -> int:
        """Load the newest state; give the step to go on with."""
        if self._plan.options.again and self._place.is_first:
            self._states.remove()
            (self._plan.path / LOG).unlink(missing_ok=True)
        self._place.wait()
        state = self._states.newest(tell=tell)
        if state is None:
            return 0
        load_run(self._training.trained.module, self._training.optimiser, state.tensors)
        self._watch.recall(state.watch)
        tell(f"{self._plan.path.name}: goes on from step {state.step}")
        return state.step

    def _opened_logs(self) -> AllLogs | None:
        if not self._place.is_first:
            return None
        plan = self._plan
        request = LogRequest(
            folder=plan.path,
            name=plan.path.name,
            recipe_id=recipe_id(plan.recipe),
            hyper=plan.hyper,
            start=self._start,
        )
        with told_when_disk_fails(plan.path):
            plan.path.mkdir(parents=True, exist_ok=True)
            return AllLogs(plan.options.log, request)

    def _close(self, logs: AllLogs | None) -> None:
        self._log(logs)
        if logs is not None:
            with told_when_disk_fails(self._plan.path):
                logs.close()

    def _report(self, feed: Feed, seconds: float) -> PretrainReport:
        plan, done = self._plan, self._plan.length.steps - self._start
        ids = plan.imagery.dataset.samples.ids
        return PretrainReport(
            checkpoint=plan.path,
            steps=plan.length.steps,
            done=done,
            images=done * plan.length.batch_size,
            loss=self._loss,
            seconds=seconds,
            waited_input_s=feed.waited_s,
            refused={str(ids[row]): why for row, why in feed.refused.items()},
        )


def training_of(plan: PretrainPlan, place: Place) -> Training:
    """What the loop works with, on the device."""
    options = plan.options
    method = plan.method.build(plan.request)
    cast("nn.Module", method).to(place.device)
    engine = Engine(
        shard=options.shard,
        recompute=options.recompute,
        compile=options.compile,
    )
    trained = ParallelMethod(method, place, engine)
    statistics = plan.inputs.statistics
    facts = channel_facts(plan.channels, statistics.mean, statistics.std)
    prepare, views = Preprocess(plan.inputs, place.device), views_by_step(plan, facts)
    return Training(
        place=place,
        trained=trained,
        optimiser=adamw(trained.module, plan.hyper),
        schedules=schedules(plan.method, plan.hyper, plan.length),
        prepare=prepare,
        views=views,
        drawing=StepDrawing(
            seed=options.seed,
            total=plan.length.batch_size,
            size_of=prepare.size,
            views=views,
            method=method,
            micro_batch=options.micro_batch,
            device=place.device,
        ),
        seed=options.seed,
        clip=plan.hyper["clip"],
        dtype=plan.compute_dtype,
    )
