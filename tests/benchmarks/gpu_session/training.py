"""Twenty steps of each method, a run that is cut and resumed, fine-tuning and attention."""

from __future__ import annotations

import contextlib
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pandas as pd
import torch

import featbank
from featbank.methods import METHODS
from featbank.stages.attend.run import AttendOptions, attend
from featbank.stages.pretrain import run
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.planning import plan_pretrain
from featbank.stages.pretrain.run import pretrain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.gpu_session.session import Session

SMALL = {"prototypes": 64, "patch_prototypes": 64, "head_hidden": 64, "head_bottleneck": 32}
# How PyTorch's warning of a wait begins ("called a synchronizing CUDA operation").
_IS_WAIT = "called a synchronizing"
# Losses of a run that was resumed lie this near to those of one that was not: sums on the device
# come in any order.
NEAR = 1e-2


def options(session: Session, method: str, bank: Path, **more: Any) -> dict[str, Any]:
    """A short run."""
    known = METHODS[method].hyper
    hyper = {k: v for k, v in SMALL.items() if k in known} if session.is_tiny else {}
    return {
        "chips": session.sized(24, 1024), "batch_size": session.sized(4, 64),
        "image_size": session.sized(32, 224), "steps": session.sized(2, 20),
        "device": session.device, "bank": bank, "workers": 0 if session.is_tiny else None,
        "hyper": hyper, **more,
    }  # fmt: skip


def model(session: Session) -> str:
    """The network that is trained."""
    return "vit-tiny" if session.is_tiny else "vit-small"


def methods(session: Session) -> None:
    """Each method: finite losses, chips a second, waits for the device a step."""
    teacher = None
    for name in sorted(METHODS, key=lambda each: METHODS[each].needs_teacher):
        more = {"teacher": teacher} if METHODS[name].needs_teacher else {}
        with _Syncs(session) as seen:
            began = time.perf_counter()
            made = featbank.pretrain(
                name, model(session), "synthetic-rgb",
                **options(session, name, session.folder / name, **more),
            )  # fmt: skip
            took = time.perf_counter() - began
        losses = _losses(made)
        teacher = made if name == "dinov2" else teacher
        steps, batch = session.sized(2, 20), session.sized(4, 64)
        is_right = bool(np.isfinite(losses).all()) and seen.a_step == 0
        session.check(
            f"pretrain {name}", is_right, loss=float(losses[-1]),
            waits_per_step=seen.a_step, chips_per_s_whole_run=steps * batch / took,
        )  # fmt: skip


class _Syncs:
    """Counts waits for the device, of which PyTorch warns, in the middle of a run's steps.

    What a run does before its first steps and after its last one is no step's: weights go there
    and back.
    """

    def __init__(self, session: Session) -> None:
        self._is_cuda = session.device == "cuda"
        self._first, self._last = session.sized(0, 5), session.sized(1, 15)
        self._real, self._at = run.train, dict[int, int]()

    @property
    def a_step(self) -> float:
        """Waits of one step."""
        return (self._at[self._last] - self._at[self._first]) / (self._last - self._first)

    def __enter__(self) -> _Syncs:
        self._patch = mock.patch.object(run, "train", self._counted)
        self._patch.__enter__()
        return self

    def __exit__(self, *told: Any) -> None:
        self._patch.__exit__(*told)

    def _counted(self, *given: Any) -> Iterator[Any]:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            if self._is_cuda:
                torch.cuda.set_sync_debug_mode("warn")
            try:
                for step, result in enumerate(self._real(*given)):
                    self._at[step] = sum(_IS_WAIT in str(w.message) for w in seen)
                    yield result
            finally:
                if self._is_cuda:
                    torch.cuda.set_sync_debug_mode("default")


def _losses(checkpoint: Path) -> Any:
    log = pd.read_parquet(checkpoint / "log.parquet")
    return log["loss"].to_numpy(dtype=float)


def switches(session: Session) -> None:
    """Activations computed again and compiled blocks: the run ends, its loss is finite."""
    tried = [("mae", "recompute"), ("mae", "compile"), ("dino", "compile")]
    for method, name in tried[:1] if session.is_tiny else tried:
        made = featbank.pretrain(
            method, model(session), "synthetic-rgb",
            **options(session, method, session.folder / f"{method}-{name}", **{name: True}),
        )  # fmt: skip
        losses = _losses(made)
        is_right = bool(np.isfinite(losses).all())
        session.check(f"{method} --{name}", is_right, loss=float(losses[-1]))


def downstream(session: Session) -> None:
    """Fine-tuning, low-rank adapters, and attention of a checkpoint."""
    made = featbank.pretrain(
        "mae", model(session), "synthetic-rgb",
        **options(session, "mae", session.folder / "start"),
    )  # fmt: skip
    for lora in (0, 4):
        report = featbank.finetune(
            made, "synthetic-rgb", chips=session.sized(24, 256), epochs=1, lora=lora,
            batch_size=session.sized(4, 32), device=session.device, workers=0,
            bank=session.folder / f"finetune-{lora}", resamples=0,
        )  # fmt: skip
        accuracy = float(report["value"].iloc[0])
        session.check(f"finetune, lora {lora}", bool(np.isfinite(accuracy)), accuracy=accuracy)
    store = featbank.embed(
        made, "synthetic-rgb", chips=session.sized(24, 64), bank=session.folder / "start",
        device=session.device,
    )  # fmt: skip
    found = attend(store, AttendOptions(device=session.device))
    session.check("attend", bool(found.kept), kept=found.kept)


class _Cut(Exception):
    """Ends a run as an interruption does."""


def _cut(done: int, total: int) -> None:
    if done > total // 2:
        raise _Cut


def resumed(session: Session) -> None:
    """A run that was cut half way and goes on ends near the loss of one that was not."""
    bank = session.folder / "resumed"
    asked = PretrainOptions(
        method="mae", model=model(session), dataset="synthetic-rgb", save_every=1,
        **{**options(session, "mae", bank), "steps": None, "epochs": 4},
    )  # fmt: skip
    with contextlib.suppress(_Cut):
        pretrain(plan_pretrain(asked), progress=_cut)
    found = _losses(pretrain(plan_pretrain(asked)).checkpoint)
    other = replace(asked, bank=session.folder / "whole")
    expected = _losses(pretrain(plan_pretrain(other)).checkpoint)
    apart = float(np.abs(found / expected - 1).max())
    session.check("pretraining cut and resumed", apart <= NEAR, apart=apart, allowed=NEAR)
