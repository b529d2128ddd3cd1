"""The forest probe on 50,000 features of 768 and 19 labels: time, memory above the data, size.

Labels can be learnt: each is a noisy threshold of its own mix of features, from common to rare.
Peak memory is read from the kernel in a process of its own, before and after the fit.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

N, N_TEST, D, K = 50_000, 2_000, 768, 19


def measure(shared: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.forest_memory"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    import resource
    import time

    from featbank.metrics.scoring.multilabel_scoring import mean_average_precision
    from featbank.probes import PROBES
    from featbank.probes.fitting.forest_classifier import (
        ForestClassifier,
        forest_bytes,
        growth_bytes,
    )

    X, y, X_test, y_test = make_samples()
    spec = PROBES["forest"]
    # A small fit first: imports and thread pools are not the forest's.
    spec.build({**spec.defaults, "trees": 2}, 0).fit(X[:500], y[:500])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    forest = spec.build(spec.defaults, 0).fit(X, y)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    params = {name: spec.defaults[name] for name in ("trees", "max_leaves")}
    bound = forest_bytes(**params, n_classes=K)
    growth = growth_bytes(max_leaves=params["max_leaves"], n_classes=K, multilabel=True)
    arrays = [v for n, v in vars(forest).items() if n.endswith("_") and hasattr(v, "nbytes")]
    start = time.perf_counter()
    probabilities = forest.predict_proba(X_test)
    predict_s = time.perf_counter() - start
    figures = {
        "fit_s": round(seconds, 1),
        "above_data_mb": round((peak - before) * 1024 / 1e6, 1),
        "predict_s": round(predict_s, 2),
        "model_mb": round(sum(array.nbytes for array in arrays) / 1e6, 1),
        "stated_mb": round(bound / 1e6, 1),
        "stated_growth_mb": round(growth / 1e6, 1),
        "labels_float64_mb": round(8 * y.size / 1e6, 1),
        "data_mb": round(X.nbytes / 1e6, 1),
        "map": round(mean_average_precision(y_test, probabilities), 3),
        "map_by_chance": round(float(y_test.mean()), 3),
        "samples": N,
        "dim": D,
        "labels": K,
        **ForestClassifier(**spec.defaults).get_params(),
    }
    print(json.dumps(figures))


def make_samples() -> tuple[Any, ...]:
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.standard_normal((N + N_TEST, D), dtype=np.float32)
    mix = np.zeros((D, K), np.float32)
    for k in range(K):
        mix[rng.choice(D, 4, replace=False), k] = 1
    scores = X @ mix + rng.standard_normal((N + N_TEST, K), dtype=np.float32)
    shares = np.linspace(0.5, 0.02, K)
    limits = [np.quantile(scores[:, k], 1 - share) for k, share in enumerate(shares)]
    y = (scores >= limits).astype(np.int8)
    return X[:N], y[:N], X[N:], y[N:]


if __name__ == "__main__":
    main()
