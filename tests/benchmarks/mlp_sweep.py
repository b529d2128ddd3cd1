"""A grid of MLP probes side by side, and its refit with five seeds, over the same one by one.

4 widths x 3 dropouts, then 5 seeds of one width, on 20,000 features of 768 and 19 classes. Rounds
of both alternate, so that a drift of the machine shows; steps are fewer than a fit takes, since
each costs the same; reading the samples, done once for each fit alone, is counted.
"""

from __future__ import annotations

import itertools
import resource
import statistics
import time
from typing import TYPE_CHECKING, Any

from featbank.probes import PROBES

if TYPE_CHECKING:
    from pathlib import Path

N, D, K, STEPS, ROUNDS = 20_000, 768, 19, 100, 2
WIDTHS, DROPOUTS, SEEDS, REFITTED = (256, 512, 1024, 2048), (0.2, 0.5, 0.8), 5, 512


def measure(shared: Path) -> dict[str, Any]:
    X, y = make_samples()
    fixed = {**PROBES["mlp"].defaults, "epochs": 0, "min_steps": STEPS}
    grid = [
        ({**fixed, "hidden": width, "dropout": dropout}, 0)
        for width, dropout in itertools.product(WIDTHS, DROPOUTS)
    ]
    refit = [({**fixed, "hidden": REFITTED}, seed) for seed in range(SEEDS)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timed(grid, X, y)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "grid": ratios(grid, X, y),
        "refit": ratios(refit, X, y),
        "above_data_mb": round((peak - before) * 1024 / 1e6, 1),
        "data_mb": round(X.nbytes / 1e6, 1),
        "widths": WIDTHS,
        "dropouts": DROPOUTS,
        "seeds": SEEDS,
        "refitted_width": REFITTED,
        "steps": STEPS,
        "samples": N,
        "dim": D,
        "classes": K,
    }


def ratios(candidates: list[Any], X: Any, y: Any) -> dict[str, Any]:
    together, alone = [timed(candidates, X, y)], []
    for _ in range(ROUNDS):
        alone.append(sum(timed([one], X, y) for one in candidates))
        together.append(timed(candidates, X, y))
    found = [
        a / statistics.mean(around)
        for a, around in zip(alone, itertools.pairwise(together), strict=True)
    ]
    return {
        "ratio": round(statistics.median(found), 2),
        "ratios": [round(min(found), 2), round(max(found), 2)],
        "together_s": round(statistics.median(together), 2),
        "alone_s": round(statistics.median(alone), 2),
    }


def timed(candidates: list[Any], X: Any, y: Any) -> float:
    start = time.perf_counter()
    for classifier in PROBES["mlp"].fit_grid(candidates, X, y):
        assert len(classifier.classes_) == K
    return time.perf_counter() - start


def make_samples() -> tuple[Any, Any]:
    """Classes that shift the features a little, as those of a backbone do."""
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D), dtype=np.float32)
    y = rng.integers(K, size=N)
    X += 0.2 * rng.standard_normal((K, D), dtype=np.float32)[y]
    return X, y
