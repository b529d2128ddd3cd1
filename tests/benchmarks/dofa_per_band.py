"""Per-polarisation DOFA against plain DOFA on synthetic Sentinel-1, several labels a chip.

Equal wavelengths give VV and VH one kernel, so plain DOFA sees their sum alone; ``--adapt
per-band`` embeds each by itself. No trained DOFA weights are at hand, so these are random ones:
what is compared is what reaches the network, not what a trained one makes of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import featbank

CHIPS, SIDE_PX = 1000, 112
PROBES = ("knn", "logistic")
SCHEMES = ("random-0", "random-1", "random-2")


def measure(shared: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        bank = Path(folder)
        stores = {
            adapt: featbank.embed(
                "dofa",
                "synthetic-s1",
                weights="random",
                adapt=adapt,
                image_size=SIDE_PX,
                chips=CHIPS,
                bank=bank,
            )
            for adapt in ("none", "per-band")
        }
        stores["imagestats"] = featbank.embed("imagestats", "synthetic-s1", chips=CHIPS, bank=bank)
        figures: dict[str, Any] = {
            name: {probe: macro_map(store, probe, bank) for probe in PROBES}
            for name, store in stores.items()
        }
    return {
        **figures,
        "metric": "macro mAP on test, mean over splits",
        "weights": "random",
        "chips": CHIPS,
        "image_px": SIDE_PX,
    }


def macro_map(store: Any, probe: str, bank: Path) -> float:
    values = [
        featbank.probe(
            probe, store, bank=bank, labels="cover", split_scheme=scheme, resamples=0
        ).loc[0, "value"]
        for scheme in SCHEMES
    ]
    return round(sum(values) / len(values), 3)
