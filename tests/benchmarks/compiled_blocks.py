"""What compiling a transformer's blocks gains and costs on a CPU: the trained ViT-Ti.

Each process times batches as they are and compiled in turn, so that a drift of the machine meets
both. ``first_s`` is the first compiled batch beyond a later one: what compiling takes, once with
an empty cache of torch's, and once with what the first process left there. From ``pays_from_chips``
on a run is the shorter for it. On CUDA nothing is measured here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

BATCH, ROUNDS = 64, 5
WEIGHTS, IMAGES = Path("weights/vit_tiny_patch16_224.safetensors"), Path("data/aid100")


def measure(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"batch": BATCH, "model": "vit-tiny", "dataset": "aid100"}
    for dtype in ("float32", "bfloat16"):
        with tempfile.TemporaryDirectory() as cache:
            cold, warm = (_alone(shared, dtype, cache) for _ in range(2))
        gain = 1 / cold["eager_rate"] - 1 / cold["compiled_rate"]
        pays = {f"pays_from_chips_{name}": round(run["first_s"] / gain, -2) if gain > 0 else None
                for name, run in (("cold", cold), ("warm", warm))}  # fmt: skip
        found[dtype] = {**cold, "first_warm_s": warm["first_s"], **pays}
    return found


def _alone(shared: Path, dtype: str, cache: str) -> dict[str, Any]:
    """One process, since torch keeps what it compiled."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.compiled_blocks", str(shared), dtype],
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache}, capture_output=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


def main(shared: Path, dtype: str) -> dict[str, Any]:
    """Rates of both in this process, and how far apart their features are."""
    from torch.nn.functional import cosine_similarity

    from featbank.layers.compiled_blocks import CompiledBlocks

    network, x = _network(shared), _images(shared)

    def forward(x: Any = x, _: object = None) -> Any:
        half = dtype == "bfloat16"
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            return network(x, layers=[11])

    network.requires_grad_(requires_grad=False)
    compiled = CompiledBlocks(sys.exit)
    expected, operations = forward(), _operations(forward)
    compiled.add(network)
    first = _timed(lambda: compiled(forward, x, None, BATCH))
    eager_s, compiled_s = _in_turn(network.blocks, forward)
    found = compiled(forward, x, None, BATCH)
    return {
        "eager_rate": round(BATCH / eager_s, 1),
        "compiled_rate": round(BATCH / compiled_s, 1),
        "ratio": round(eager_s / compiled_s, 3),
        "first_s": round(first - compiled_s, 1),
        "least_cosine": float(f"{cosine_similarity(found['cls'], expected['cls'], -1).min():.8f}"),
        "operations_a_block": round(operations / len(network.blocks), 1),
    }


def _network(shared: Path) -> Any:
    from featbank.backbones import BACKBONES, WeightsFile
    from featbank.backbones.building.weights import read_state

    spec, path = BACKBONES["vit-tiny"], shared / WEIGHTS
    loaded = spec.read(spec.config, read_state(path), WeightsFile(name=str(path)))
    return spec.build(loaded.config, loaded.state)


def _images(shared: Path) -> torch.Tensor:
    files = sorted((shared / IMAGES).rglob("*.jpg"))[:BATCH]
    pixels = [np.asarray(Image.open(file).convert("RGB").resize((224, 224))) for file in files]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _in_turn(blocks: Any, forward: Any) -> tuple[float, float]:
    """Median seconds of a batch as it is, and compiled."""
    calls = [block._compiled_call_impl for block in blocks]
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for kind, taken in zip(([None] * len(blocks), calls), times, strict=True):
            for block, call in zip(blocks, kind, strict=True):
                block._compiled_call_impl = call
            taken.append(_timed(forward))
    return statistics.median(times[0]), statistics.median(times[1])


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _operations(work: Any) -> int:
    """Operations on tensors that compute something, views aside."""

    class Counted(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            self.count += not func.is_view
            return func(*args, **(kwargs or {}))

    with Counted() as counted:
        work()
    return counted.count


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
