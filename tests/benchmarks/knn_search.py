"""Exact k-NN of 4,000 queries in 50,000 features of 768, k 200: against faiss and scikit-learn.

The search is that of the probe: a bank prepared at fit time, raw float32 queries. faiss searches
rows of unit norm that it is given. Runs alternate, and the ratio is that of the medians; beside
wall time stands the processor time of both cores, which a busy machine moves less. Memory is the
growth of the peak resident size during one search, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Q, N, D, K = 4_000, 50_000, 768, 200
ROUNDS = 5


def measure(shared: Path) -> dict[str, Any]:
    speed = run("speed")
    memory = {name: run("memory", name) for name in ("featbank", "tiles", "sklearn")}
    share = memory["featbank"]["growth_mb"] / memory["sklearn"]["growth_mb"]
    return {
        **speed,
        "memory_share_of_sklearn": round(share, 3),
        **{f"growth_mb_{name}": found["growth_mb"] for name, found in memory.items()},
        "queries": Q,
        "bank": N,
        "dim": D,
        "k": K,
    }


def run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.knn_search", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def features() -> tuple[Any, Any]:
    import numpy as np

    rng = np.random.default_rng(0)
    return (rng.standard_normal((rows, D), dtype=np.float32) for rows in (Q, N))


def speed() -> dict[str, Any]:
    import time
    from statistics import median

    import faiss

    from featbank.knn.bank import prepare
    from featbank.knn.search import nearest
    from featbank.knn.space import unit_norm

    queries, bank = features()
    start = time.perf_counter()
    prepared = prepare(bank)
    prepare_s = time.perf_counter() - start
    index = faiss.IndexFlatIP(D)
    index.add(unit_norm(bank))
    unit = unit_norm(queries)
    jobs: dict[str, Callable[[], Any]] = {
        "featbank": lambda: nearest(queries, prepared, k=K),
        "faiss": lambda: index.search(unit, K),
    }
    wall: dict[str, list[float]] = {name: [] for name in jobs}
    used: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            clock, processor = time.perf_counter(), time.process_time()
            job()
            wall[name].append(time.perf_counter() - clock)
            used[name].append(time.process_time() - processor)
    seconds = {name: round(median(values), 2) for name, values in wall.items()}
    shares = [f / o for f, o in zip(wall["faiss"], wall["featbank"], strict=True)]
    return {
        "ratio": round(seconds["faiss"] / seconds["featbank"], 2),
        "ratios": sorted(round(share, 2) for share in shares),
        "processor_ratio": round(median(used["faiss"]) / median(used["featbank"]), 2),
        "featbank_s": seconds["featbank"],
        "faiss_s": seconds["faiss"],
        "prepare_s": round(prepare_s, 2),
    }


def memory(name: str) -> dict[str, Any]:
    import resource

    from sklearn.neighbors import NearestNeighbors

    from featbank.knn.bank import prepare
    from featbank.knn.search import nearest

    queries, bank = features()
    # What each keeps from its fit is not counted; a first small search warms the threads up.
    model = NearestNeighbors(n_neighbors=K, metric="cosine", algorithm="brute").fit(bank)
    kept = prepare(bank) if name == "featbank" else bank
    jobs: dict[str, Callable[[Any], Any]] = {
        "featbank": lambda rows: nearest(rows, kept, k=K),
        "tiles": lambda rows: nearest(rows, kept, k=K),
        "sklearn": model.kneighbors,
    }
    jobs[name](queries[:10])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    jobs[name](queries)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"growth_mb": round((after - before) * 1024 / 1e6, 1)}


if __name__ == "__main__":
    print(json.dumps(speed() if sys.argv[1] == "speed" else memory(sys.argv[2])))
