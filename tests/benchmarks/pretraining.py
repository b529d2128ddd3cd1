"""What pretraining learns: 20-NN and logistic accuracy on AID before and after, three seeds each.

A ViT-Tiny is pretrained on the train chips of split ``random-0``, labels unseen, within ten minutes
on two cores; its own first weights (``--epochs 0``) are the baseline. Both are probed on the test
chips of the same split. Then pretraining goes on from the trained ViT-Tiny, to see that it does not
spoil what it was given.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import featbank

SEEDS = (0, 1, 2)
PROBES = ("knn", "logistic")
# Chosen for two cores and ten minutes: 17 to 65 tokens a view, small heads.
COMMON: dict[str, Any] = {"model": "vit-tiny", "image_size": 64, "batch_size": 64}
METHODS: dict[str, dict[str, Any]] = {
    "mae": {"patch": 8, "epochs": 60, "hyper": {"warmup_epochs": 3}},
    "dino": {"patch": 8, "epochs": 15, "hyper": {"warmup_epochs": 2, "prototypes": 1024}},
    "dinov2": {"patch": 8, "epochs": 12, "hyper": {"warmup_epochs": 2, "prototypes": 1024}},
}


def measure(shared: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(shared, Path(folder))
        return {
            "dataset": "aid100, pretrained on train of random-0, scored on its test",
            "settings": {"common": COMMON, **METHODS},
            **{method: bench.method(method) for method in METHODS},
            "continued": {method: bench.continued(method) for method in METHODS},
        }


class Bench:
    def __init__(self, shared: Path, folder: Path) -> None:
        self._aid = shared / "data" / "aid100"
        self._tiny = shared / "weights" / "vit_tiny_patch16_224.safetensors"
        self._bank = folder / "bank"

    def method(self, method: str) -> dict[str, Any]:
        rows = [self._run(method, seed) for seed in SEEDS]
        found: dict[str, Any] = {"seconds": [row["seconds"] for row in rows]}
        for probe in PROBES:
            before = [row["before"][probe] for row in rows]
            after = [row["after"][probe] for row in rows]
            gains = [b - a for a, b in zip(before, after, strict=True)]
            found[probe] = {
                "random": _rounded(before),
                "pretrained": _rounded(after),
                "least_gain": round(min(gains), 3),
                "mean_gain": round(sum(gains) / len(gains), 3),
            }
        return found

    def _run(self, method: str, seed: int) -> dict[str, Any]:
        settings = {**COMMON, **METHODS[method], "seed": seed}
        untrained = self._pretrain(method, {**settings, "epochs": 0})
        start = time.perf_counter()
        trained = self._pretrain(method, settings)
        seconds = round(time.perf_counter() - start)
        return {
            "seconds": seconds,
            "before": self._scores(untrained),
            "after": self._scores(trained),
        }

    def continued(self, method: str) -> dict[str, Any]:
        """From the trained tiny ViT, at its own patch and input statistics."""
        settings = {
            **COMMON,
            **METHODS[method],
            "patch": 16,
            "epochs": 3,
            "image_size": 96,
            "weights": str(self._tiny),
            "normalise": "half",
        }
        before = self._scores(self._pretrain(method, {**settings, "epochs": 0}))
        after = self._scores(self._pretrain(method, settings))
        return {"before": before, "after": after}

    def _pretrain(self, method: str, settings: dict[str, Any]) -> Path:
        options = dict(settings)
        model = options.pop("model")
        return featbank.pretrain(method, model, self._aid, bank=self._bank, **options)

    def _scores(self, checkpoint: Path) -> dict[str, float]:
        store = featbank.embed(str(checkpoint), self._aid, bank=self._bank)
        scores = {
            probe: featbank.probe(
                probe, store, bank=self._bank, split_scheme="random-0", resamples=0
            ).loc[0, "value"]
            for probe in PROBES
        }
        return {name: round(float(value), 3) for name, value in scores.items()}


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]
