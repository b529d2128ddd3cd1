"""What goes wrong around a device, each in one line; a batch that it does not hold is halved."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch

import featbank
from featbank.device import full_float32
from featbank.errors import FeatbankError, UsageError
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed import forward
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.pretrain import run
from featbank.store.reader import Store
from tests.benchmarks.gpu_session import features, training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from tests.benchmarks.gpu_session.session import Session

# What torch says, where there is no device that runs out of memory.
SAID = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of …"
FEW, MANY = 4, 32


def named(session: Session) -> None:
    """Lines of the device's troubles, and features of a batch that went in parts."""
    _check_line(session, "no device", _alone(session, CUDA_VISIBLE_DEVICES=""), "device cuda: ")
    _check_override(session)
    whole = _embedded(session, "held", FEW, [])
    need = _need(session)
    lines: list[str] = []
    with short_of_memory(session, FEW, need):
        parts = _embedded(session, "halved", MANY, lines)
    cosine = float(features.cosines(parts, whole).min())
    session.check(
        "a batch that is not held is halved, and that is said",
        bool(lines) and "does not hold" in lines[0] and cosine >= features.LEAST_COSINE["float32"],
        halved=len(lines), cosine=cosine,
    )  # fmt: skip
    with short_of_memory(session, 0, 0):
        line = _line(lambda: _embedded(session, "none", FEW, []))
        _check_line(session, "no room for the network", line, "memory")
        line = _line(lambda: _pretrained(session))
        _check_line(session, "no room for a step", line, "--micro-batch")


def _embedded(session: Session, bank: str, batch: int, lines: list[str]) -> NDArray[Any]:
    options = EmbedOptions(
        model="vit-tiny", weights="random", normalise="half", dataset="synthetic-rgb",
        chips=MANY, batch_size=batch, image_size=session.sized(32, 448), device=session.device,
        dtype="float32", workers=0, bank=session.folder / bank,
    )  # fmt: skip
    report = embed_dataset(plan_embed(options), tell=lines.append)
    found: NDArray[Any] = Store(report.store).features().astype(np.float64)
    return found


def _pretrained(session: Session) -> None:
    asked = training.options(session, "dino", session.folder / "full")
    with mock.patch.object(run, "train", _out_of_memory if session.is_tiny else run.train):
        featbank.pretrain("dino", training.model(session), "synthetic-rgb", **asked)


def _out_of_memory(*_: object) -> None:
    raise torch.OutOfMemoryError(SAID)


def _need(session: Session) -> int:
    """Bytes that few chips take beyond what is taken anyway."""
    if session.device != "cuda":
        return 0
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    _embedded(session, "measured", FEW, [])
    return torch.cuda.max_memory_allocated() - before


@contextmanager
def short_of_memory(session: Session, chips: int, need: int) -> Iterator[None]:
    """A device that holds a few chips: twice their need, since memory comes in whole blocks."""
    if session.device == "cuda":
        torch.cuda.empty_cache()
        room = torch.cuda.memory_reserved() + 2 * need
        torch.cuda.set_per_process_memory_fraction(room / torch.cuda.mem_get_info()[1])
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        return
    real = forward.encode

    def encode(encoder: Any, x: torch.Tensor, *more: Any) -> dict[str, torch.Tensor]:
        if len(x) > chips:
            raise torch.OutOfMemoryError(SAID)
        return real(encoder, x, *more)

    with mock.patch.object(forward, "encode", encode):
        yield


def _line(work: Callable[[], object]) -> str:
    """What a person is told; empty where nothing is raised."""
    try:
        featbank.trouble.told(work)()
    except FeatbankError as error:
        return str(error)
    return ""


def _alone(session: Session, **environment: str) -> str:
    """What a command on the GPU says in another environment."""
    words = ["embed", "--model", "imagestats", "--dataset", "synthetic-rgb", "--chips", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "featbank", *words, "--device", "cuda", "--bank",
         str(session.folder / "alone")],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr.strip()


def _check_line(session: Session, name: str, line: str, words: str) -> None:
    is_one = bool(line) and "\n" not in line
    session.check(f"{name}: one line", is_one and words in line, line=line[:200])


def _check_override(session: Session) -> None:
    try:
        with (
            mock.patch.dict(os.environ, {"NVIDIA_TF32_OVERRIDE": "1"}),
            full_float32(session.device),
        ):
            is_refused = False
    except UsageError:
        is_refused = True
    session.check("TF32 is refused on a GPU alone", is_refused == (session.device == "cuda"))
