"""DINOv2's 52 linear heads at once over 52 single runs of the same probe.

Heads: 13 learning rates x the last 1 or 4 blocks x without or with the mean of patch tokens, on
the joint features of ViT-B: CLS of four blocks and the mean of the last. A single run is timed for
two rates of each set of columns (its time hangs on the columns alone) and scaled to 13; beside it
stands the same run as it is written by hand with PyTorch's modules. Rounds alternate; memory is
read from the kernel in a process of its own, before and after the sweep.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

N, D, K, STEPS, BATCH, ROUNDS = 20_000, 768, 19, 150, 128, 3
COLUMNS = (((3 * D, 4 * D),), ((3 * D, 5 * D),), ((0, 4 * D),), ((0, 5 * D),))


def measure(shared: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.head_sweep"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    import itertools
    import resource
    import statistics

    from featbank.probes import PROBES

    spec = PROBES["linear"]
    rates = [member["lr"] for member in spec.grid]
    fixed = {**spec.defaults, "steps": STEPS, "batch_size": BATCH}
    heads = [({**fixed, "lr": lr, "columns": seen}, 0) for seen in COLUMNS for lr in rates]
    X, y = make_samples()
    # One narrow head first: imports and thread pools are not the sweep's.
    timed(spec, [({**heads[0][0], "steps": 3}, 0)], X, y)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sweeps, singles, plain = [timed(spec, heads, X, y)], [], []
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(ROUNDS):
        singles.append(52 / 8 * sum(timed(spec, [heads[i]], X, y) for i in spread(len(rates))))
        plain.append(52 / 8 * sum(by_pytorch(heads[i][0], X, y) for i in spread(len(rates))))
        sweeps.append(timed(spec, heads, X, y))
    ratios = [
        single / statistics.mean(around)
        for single, around in zip(singles, itertools.pairwise(sweeps), strict=True)
    ]
    figures = {
        "ratio": round(statistics.median(ratios), 1),
        "ratios": [round(min(ratios), 1), round(max(ratios), 1)],
        "ratio_plain_pytorch": round(statistics.median(plain) / statistics.median(sweeps), 1),
        "sweep_ms_a_step": round(1000 * statistics.median(sweeps) / STEPS, 1),
        "singles_ms_a_step": round(1000 * statistics.median(singles) / STEPS, 1),
        "plain_pytorch_ms_a_step": round(1000 * statistics.median(plain) / STEPS, 1),
        "above_data_mb": round((peak - before) * 1024 / 1e6, 1),
        "data_mb": round(X.nbytes / 1e6, 1),
        "heads": len(heads),
        "samples": N,
        "dim": D,
        "joint": X.shape[1],
        "classes": K,
        "batch": BATCH,
    }
    print(json.dumps(figures))


def spread(rates: int) -> list[int]:
    """A low and a high rate of each set of columns."""
    return [block * rates + place for block in range(len(COLUMNS)) for place in (3, rates - 3)]


def timed(spec: Any, candidates: list[Any], X: Any, y: Any) -> float:
    import time

    start = time.perf_counter()
    for classifier in spec.fit_grid(candidates, X, y):
        assert classifier.coef_.shape[0] == K
    return time.perf_counter() - start


def by_pytorch(params: Any, X: Any, y: Any) -> float:
    """Seconds of one head as it is written by hand: a linear module, SGD and a cosine schedule."""
    import time

    import torch

    seen = [torch.from_numpy(X[:, start:stop]) for start, stop in params["columns"]]
    targets = torch.from_numpy(y)
    layer = torch.nn.Linear(sum(part.shape[1] for part in seen), K)
    optimizer = torch.optim.SGD(layer.parameters(), lr=params["lr"] * BATCH / 256, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    start = time.perf_counter()
    for _ in range(STEPS):
        rows = torch.randint(len(X), (BATCH,))
        x = torch.cat([part[rows] for part in seen], dim=1)
        loss = torch.nn.functional.cross_entropy(layer(x), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return time.perf_counter() - start


def make_samples() -> tuple[Any, Any]:
    """Classes that shift the features a little, as those of a backbone do."""
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, 5 * D), dtype=np.float32)
    y = rng.integers(K, size=N)
    X += 0.2 * rng.standard_normal((K, 5 * D), dtype=np.float32)[y]
    return X, y


if __name__ == "__main__":
    main()
