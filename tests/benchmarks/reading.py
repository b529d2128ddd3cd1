"""BigEarthNet patches read a second and core: our readers against rasterio, on the same files.

Rounds of both alternate, so that a drift of the machine shows in both; a second is a second of
processor time, so that other work on the machine does not. Files lie in the page cache.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.datasets import DATASETS, DatasetRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.datasets import Dataset

ROUNDS, SECONDS_A_ROUND = 9, 1.0


def measure(shared: Path) -> dict[str, Any]:
    root = shared / "data" / "bigearthnet_v1"
    figures: dict[str, Any] = {}
    for name in ("bigearthnet-s1", "bigearthnet-s2"):
        dataset = DATASETS[name].open(DatasetRequest(root=root))
        readers = {"featbank": ours(dataset), "rasterio": by_rasterio(dataset, root)}
        require_equal(readers, len(dataset.samples))
        rates: dict[str, list[float]] = {who: [] for who in readers}
        for _ in range(ROUNDS):
            for who, read in readers.items():
                rates[who].append(rate(read, len(dataset.samples)))
        ratios = [a / b for a, b in zip(rates["featbank"], rates["rasterio"], strict=True)]
        figures[name] = {
            "ratio": round(statistics.median(ratios), 1),
            "ratios": [round(min(ratios), 1), round(max(ratios), 1)],
            **{who: round(statistics.median(found)) for who, found in rates.items()},
        }
    return figures


def ours(dataset: Dataset) -> Callable[[int], list[Any]]:
    return lambda row: [*dataset.reader.read(row).values()]


def by_rasterio(dataset: Dataset, root: Path) -> Callable[[int], list[Any]]:
    """One open file a band, stacked by grid: what a loader without a cache does."""
    import rasterio

    def read(row: int) -> list[Any]:
        name = dataset.samples.ids[row]
        stem = f"{root / dataset.samples.origins[row]}/{name}"
        grids = []
        for grid in dataset.grids:
            bands = []
            for band in grid.bands:
                with rasterio.open(f"{stem}_{band}.tif") as file:
                    bands.append(file.read(1))
            grids.append(np.stack(bands))
        return grids

    return read


def require_equal(readers: dict[str, Callable[[int], list[Any]]], rows: int) -> None:
    for row in range(rows):
        a, b = (read(row) for read in readers.values())
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def rate(read: Callable[[int], list[Any]], rows: int) -> float:
    """Patches a second of processor time."""
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < SECONDS_A_ROUND:
        for row in range(rows):
            read(row)
        count += rows
    return count / spent
