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
# For two cores and ten minutes: small views, batches and heads, no warm-up of the temperature.
COMMON: dict[str, Any] = {"model": "vit-tiny", "image_size": 64, "batch_size": 32}
SMALL = {"lr_batch": 32, "warmup_epochs": 1}
HEADS = {
    **SMALL,
    "prototypes": 128,
    "head_hidden": 512,
    "head_bottleneck": 128,
    "local_count": 4,
    "local_px": 112,  # of 224: 32 px where the global crops have 64
    "drop_path": 0.0,
    "teacher_temperature": 0.04,
    "teacher_temperature_epochs": 0,
    "last_layer_frozen_epochs": 0,
    "weight_decay_end": 0.04,
    "layer_scale_init": 1.0,
}
METHODS: dict[str, dict[str, Any]] = {
    "mae": {"patch": 8, "epochs": 30, "hyper": {**SMALL, "lr": 1e-3, "norm_pixels": False}},
    "dino": {"patch": 16, "epochs": 4, "hyper": {**HEADS, "lr": 5e-4, "momentum": 0.98}},
    "dinov2": {
        "patch": 16,
        "epochs": 4,
        "hyper": {
            **HEADS,
            "lr": 1e-3,
            "momentum": 0.96,
            "patch_embed_lr": 1.0,
            "layer_decay": 1.0,
        },
    },
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
