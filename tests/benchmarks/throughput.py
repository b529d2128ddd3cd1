"""End-to-end embedding of aid100 by the tiny ViT over a bare forward loop of the same network.

Both in one run: same network, batch, dtype and threads. The bare loop runs before and after each
embedding, on inputs that lie ready in memory, so that a drift of the machine shows. Steady state
is everything after the first shard's commit; the cold start is everything before it.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from featbank.backbones import BACKBONES, WeightsFile
from featbank.backbones.building.weights import read_state
from featbank.bank import runlog
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.precision import compute_dtype

BATCH, SHARD_ROWS, BARE_BATCHES, ROUNDS = 64, 512, 24, 3


def measure(shared: Path) -> dict[str, Any]:
    weights = shared / "weights" / "vit_tiny_patch16_224.safetensors"
    bare, runs = [bare_rate(weights)], []
    for _ in range(ROUNDS):
        runs.append(embed(shared / "data" / "aid100", weights))
        bare.append(bare_rate(weights))
    # Each embedding is held against the bare loops just before and just after it.
    ratios = [
        run["steady_rate"] / statistics.mean(around)
        for run, around in zip(runs, itertools.pairwise(bare), strict=True)
    ]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "bare_rates": [round(rate, 1) for rate in bare],
        "steady_rates": [run["steady_rate"] for run in runs],
        **runs[0],
        "batch": BATCH,
        "threads": torch.get_num_threads(),
        "compute_dtype": taken_dtype(),
        "model": "vit-tiny",
        "dataset": "aid100",
    }


def taken_dtype() -> str:
    """What ``--dtype auto`` takes on this machine."""
    return compute_dtype(BACKBONES["vit-tiny"], EmbedOptions(model="vit-tiny", dataset=""))


def bare_rate(weights: Path) -> float:
    """Chips a second of the network alone."""
    spec = BACKBONES["vit-tiny"]
    loaded = spec.read(spec.config, read_state(weights), WeightsFile(name=str(weights)))
    network = spec.build(loaded.config, loaded.state)
    x = torch.randn(BATCH, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    is_half = taken_dtype() == "bfloat16"
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_half):
        for _ in range(2):
            network(x, layers=[11])
        start = time.perf_counter()
        for _ in range(BARE_BATCHES):
            network(x, layers=[11])
    return BATCH * BARE_BATCHES / (time.perf_counter() - start)


def embed(dataset: Path, weights: Path) -> dict[str, Any]:
    """Rates of ``featbank embed``, from the run log and the wall clock."""
    with tempfile.TemporaryDirectory() as bank:
        command = [sys.executable, "-m", "featbank", "embed", "--model", "vit-tiny", "--json"]
        command += ["--weights", str(weights), "--normalise", "half", "--dataset", str(dataset)]
        command += ["--bank", bank, "--shard-rows", str(SHARD_ROWS), "--batch-size", str(BATCH)]
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        wall_s = time.perf_counter() - start
        report = json.loads(done.stdout)
        lines = runlog.read(Path(report["store"]))
    steady = lines[1:]
    steady_s = sum(line["seconds"] for line in steady)
    return {
        "steady_rate": round(sum(line["rows"] for line in steady) / steady_s, 1),
        "cold_start_s": round(wall_s - steady_s, 1),
        "whole_rate": round(report["embed"]["n"] / wall_s, 1),
        "waited_input_s": round(report["embed"]["waited_input_s"], 2),
        "waited_output_s": round(report["embed"]["waited_output_s"], 2),
    }
