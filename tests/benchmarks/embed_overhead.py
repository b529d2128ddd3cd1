"""What embedding costs the main thread a chip, beside what a device computes.

Network, resize and normalisation are replaced by tensors that are there already; readers, forward
pass, shards and their writing are those of a run. Processor time of the main thread alone counts:
neither waiting for readers nor the thread that writes. On CUDA the thread queues copies and
kernels besides, which nothing here stands for; ``staging_us`` is what copying the pixels into
page-locked memory would take, were the readers' memory not locked itself.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
from PIL import Image

from featbank.inputs.preprocess import Preprocess
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed import forward
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import EmbedRun, embed_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

CHIPS, SIDE_PX, BATCH, SHARD_ROWS, ROUNDS = 8192, 120, 256, 2048, 5
DIM, SIZE_PX = 768, 224


def measure(shared: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        imagery = chips(Path(folder) / "chips")
        found = [main_thread_us(imagery, Path(folder) / str(i)) for i in range(ROUNDS)]
    return {
        "main_thread_us": round(statistics.median(found), 1),
        "rounds_us": [round(min(found), 1), round(max(found), 1)],
        "staging_us": round(staging_us(), 1),
        "chips": CHIPS,
        "batch": BATCH,
        "chip": f"3 x {SIDE_PX} x {SIDE_PX} uint8",
        "features": DIM,
    }


def chips(root: Path) -> Path:
    """Plain files, which readers decode quickly."""
    rng = np.random.default_rng(0)
    for label in range(4):
        folder = root / f"c{label}"
        folder.mkdir(parents=True)
        for number in range(CHIPS // 4):
            pixels = rng.integers(0, 255, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.bmp")
    return root


def main_thread_us(imagery: Path, bank: Path) -> float:
    """Processor time of the thread that submits and collects, in microseconds a chip."""
    options = EmbedOptions(
        model="vit-base", weights="random", normalise="half", dataset=str(imagery), bank=bank,
        batch_size=BATCH, shard_rows=SHARD_ROWS, dtype="float32", device="cpu", workers=1,
    )  # fmt: skip
    plan, spent = plan_embed(options), []
    real = EmbedRun._stream

    def timed(self: EmbedRun, *args: Any) -> None:
        start = time.thread_time()
        real(self, *args)
        spent.append(time.thread_time() - start)

    with nothing_computed(), mock.patch.object(EmbedRun, "_stream", timed):
        embed_dataset(plan)
    return 1e6 * spent[0] / CHIPS


def nothing_computed() -> Any:
    """Ready tensors in the place of resize, normalisation and network."""
    from contextlib import ExitStack

    x, features = torch.zeros(BATCH, 3, SIZE_PX, SIZE_PX), torch.zeros(BATCH, 1, DIM)

    def prepared(_: Preprocess, planes: dict[str, torch.Tensor]) -> torch.Tensor:
        return x[: len(next(iter(planes.values())))]

    def encoded(_: object, given: torch.Tensor, *__: object) -> dict[str, torch.Tensor]:
        return dict.fromkeys(("cls", "mean"), features[: len(given)])

    stack = ExitStack()
    stack.enter_context(mock.patch.object(Preprocess, "__call__", prepared))
    stack.enter_context(mock.patch.object(forward, "encode", encoded))
    return stack


def staging_us() -> float:
    """Copying the pixels of a batch once, in microseconds a chip."""
    pixels = torch.zeros(BATCH, 3, SIDE_PX, SIDE_PX, dtype=torch.uint8)
    held = torch.empty_like(pixels)
    return 1e6 * statistics.median(_copied(held, pixels)) / BATCH


def _copied(held: torch.Tensor, pixels: torch.Tensor) -> Iterator[float]:
    for _ in range(50):
        start = time.perf_counter()
        held.copy_(pixels)
        yield time.perf_counter() - start
