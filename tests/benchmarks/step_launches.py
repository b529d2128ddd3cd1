"""What a step of a probe's fit asks of the host: its operations one by one, or a replayed graph.

Counted on the tests' fake device, of one more step; no time is measured, and none follows
from it. The MLP is the grid of ``mlp_sweep.py`` with one seed, with five, and with five and a
learning rate for each dropout, and its refit; the heads are as many as those of ``head_sweep.py``.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[2]
# Enough features that products are in bfloat16, as they are on large sets.
N, D, K, BATCH = 600, 128, 19, 256


def measure(shared: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.step_launches"]
    path = os.pathsep.join([str(ROOT / "tests" / "fakes"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def main() -> None:
    from fake_gpu import building

    building.load()
    from fake_gpu import cuda

    kept = cuda.install()
    counts = {name: counted(*said) for name, said in candidates().items()}
    print(json.dumps({**counts, "dim": D, "classes": K, "batch": BATCH}))
    del kept


def candidates() -> dict[str, tuple[str, list[Any]]]:
    from featbank.probes import PROBES
    from tests.benchmarks import mlp_sweep

    mlp = {**PROBES["mlp"].defaults, "epochs": 0, "batch_size": BATCH}
    grid = [
        {**mlp, "hidden": width, "dropout": dropout}
        for width, dropout in itertools.product(mlp_sweep.WIDTHS, mlp_sweep.DROPOUTS)
    ]
    refit = {**mlp, "hidden": mlp_sweep.REFITTED}
    linear = {**PROBES["linear"].defaults, "batch_size": BATCH}
    rates = [member["lr"] for member in PROBES["linear"].grid]
    columns = [((0, D // 4),), ((0, D // 2),), ((D // 4, D),), ((0, D // 4), (D // 2, D))]
    return {
        "mlp_grid": ("mlp", [(each, 0) for each in grid]),
        "mlp_grid_of_five_seeds": ("mlp", [(each, seed) for seed in range(5) for each in grid]),
        "mlp_grid_of_rates": (
            "mlp",
            [({**each, "lr": each["dropout"] / 100}, seed) for seed in range(5) for each in grid],
        ),
        "mlp_refit": ("mlp", [(refit, seed) for seed in range(mlp_sweep.SEEDS)]),
        "heads": (
            "linear",
            [({**linear, "lr": lr, "columns": c}, 0) for c in columns for lr in rates],
        ),
    }


def counted(probe: str, asked: list[Any]) -> dict[str, int]:
    from featbank.probes.fitting import graphed_step

    steps = graphed_step.EAGER_STEPS + 2
    counts = {}
    for kind, least in (("eager", steps), ("replayed", 1)):
        with mock.patch.object(graphed_step, "LEAST_REPLAYS", least):
            more, few = (launched(probe, asked, each) for each in (steps + 1, steps))
        counts[f"launches_a_step_{kind}"] = more - few
    return counts


def launched(probe: str, asked: list[Any], steps: int) -> int:
    """Launches of a whole fit."""
    import numpy as np
    from fake_gpu.tracing import traced

    from featbank.probes import PROBES
    from featbank.probes.fitting.device import computing_on

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((N, D), dtype=np.float32), rng.integers(K, size=N)
    key = "min_steps" if probe == "mlp" else "steps"
    with computing_on("cuda"), traced() as trace:
        of_steps = [({**each, key: steps}, seed) for each, seed in asked]
        for classifier in PROBES[probe].fit_grid(of_steps, X, y):
            assert len(classifier.classes_) == K
    return trace.n_kernels


if __name__ == "__main__":
    main()
