"""Run the benchmarks and write ``results.json``: ``python -m tests.benchmarks [NAME ...]``.

Real imagery and weights are found as the tests find them: ``$FEATBANK_SHARED`` or ``../shared``.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import (
    bootstrap,
    compare_level,
    compiled_blocks,
    digest_pass,
    dofa_per_band,
    embed_overhead,
    forest_kinds,
    forest_memory,
    head_sweep,
    help_time,
    interval_coverage,
    interval_losses,
    knn_search,
    logistic_sweep,
    map_layout,
    mlp_sweep,
    peak_memory,
    pretrain_overhead,
    pretraining,
    probe_command,
    reading,
    report_page,
    step_launches,
    throughput,
    unseen_gain,
    view_making,
)

RESULTS = Path(__file__).with_name("results.json")
BENCHMARKS: dict[str, Any] = {
    "help": help_time,
    "throughput": throughput,
    "memory": peak_memory,
    "embed-overhead": embed_overhead,
    "compiled-blocks": compiled_blocks,
    "digest-pass": digest_pass.JPEG,
    "digest-pass-tiff": digest_pass.TIFF,
    "pretrain-overhead": pretrain_overhead,
    "reading": reading,
    "forest": forest_memory,
    "heads": head_sweep,
    "mlp": mlp_sweep,
    "step-launches": step_launches,
    "forest-kinds": forest_kinds,
    "knn": knn_search,
    "dofa-per-band": dofa_per_band,
    "bootstrap": bootstrap,
    "compare-level": compare_level,
    "interval-coverage": interval_coverage.ACCURACY,
    "interval-coverage-recall": interval_coverage.RECALL,
    "interval-coverage-f1": interval_coverage.MACRO_F1,
    "interval-coverage-map": interval_coverage.MACRO_MAP,
    "interval-losses": interval_losses,
    "logistic-sweep": logistic_sweep,
    "probe-command": probe_command,
    "map": map_layout,
    "pretraining-mae": pretraining.MAE,
    "pretraining-dino": pretraining.DINO,
    "pretraining-dinov2": pretraining.DINOV2,
    "report_page": report_page,
    "unseen-gain": unseen_gain,
    "view-making": view_making,
}


def main(names: list[str]) -> None:
    shared = Path(os.environ.get("FEATBANK_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names or list(BENCHMARKS):
        figures = BENCHMARKS[name].measure(shared)
        results[name] = {**figures, "machine": machine(), "date": time.strftime("%Y-%m-%d")}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(name, json.dumps(results[name], indent=1))


def machine() -> str:
    import torch

    cores = len(os.sched_getaffinity(0))
    return f"{platform.machine()}, {cores} cores, {torch.backends.cpu.get_cpu_capability()}"


if __name__ == "__main__":
    main(sys.argv[1:])
