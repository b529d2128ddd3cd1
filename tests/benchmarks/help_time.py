"""Seconds that ``featbank --help`` takes, beside an empty Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 9


def measure(shared: Path) -> dict[str, float]:
    empty = seconds([sys.executable, "-c", "pass"])
    helped = seconds([sys.executable, "-m", "featbank", "--help"])
    return {"help_s": round(helped, 3), "empty_python_s": round(empty, 3)}


def seconds(command: list[str]) -> float:
    runs = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)
