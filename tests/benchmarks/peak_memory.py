"""Peak memory of the embed process tree: 2,000 against 20,000 synthetic chips, same shards.

Memory is the proportional set size summed over the tree, so that memory shared between readers
and the device process counts once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE, SHARD_ROWS = 2_000, 20_000, 256
MODEL = "imagestats"
_POLL_S = 0.05


def measure(shared: Path) -> dict[str, Any]:
    small, large = peak_bytes(SMALL), peak_bytes(LARGE)
    return {
        "growth": round(large / small - 1, 3),
        "peak_mb_2k": round(small / 1e6, 1),
        "peak_mb_20k": round(large / 1e6, 1),
        "shard_rows": SHARD_ROWS,
        "shards_2k": -(-SMALL // SHARD_ROWS),
        "model": MODEL,
        "dataset": "synthetic-s2",
    }


def peak_bytes(chips: int) -> int:
    with tempfile.TemporaryDirectory() as bank:
        command = [sys.executable, "-m", "featbank", "embed", "--model", MODEL, "--bank", bank]
        command += ["--dataset", "synthetic-s2", "--chips", str(chips)]
        command += ["--shard-rows", str(SHARD_ROWS)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            peak = max(peak, tree_bytes(process.pid))
            time.sleep(_POLL_S)
        if process.returncode:
            raise SystemExit(f"featbank embed ended with exit code {process.returncode}")
    return peak


def tree_bytes(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.NoSuchProcess:
        pass
    return total
