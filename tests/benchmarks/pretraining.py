"""What pretraining learns: 20-NN and logistic accuracy on AID before and after, three seeds each.

A ViT-Tiny is pretrained on the train chips of split ``random-0``, labels unseen, within ten minutes
of one core, two runs side by side; its own first weights (``--epochs 0``) are the baseline. Both
are probed on the test chips of the same split. Then pretraining goes on from the trained ViT-Tiny,
to see that it does not spoil what it was given.
"""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import featbank

SEEDS = (0, 1, 2)
PROBES = ("knn", "logistic")
# For one core and ten minutes: small views, batches and heads, few steps to warm up in.
COMMON: dict[str, Any] = {"model": "vit-tiny", "image_size": 64}
HEADS: dict[str, Any] = {
    "warmup_epochs": 1,
    "prototypes": 128,
    "head_hidden": 512,
    "head_bottleneck": 128,
    "local_px": 112,  # of 224: 32 px where the global crops have 64
    "drop_path": 0.0,
    "teacher_temperature": 0.04,
    "teacher_temperature_epochs": 0,
    "last_layer_frozen_epochs": 0,
    "weight_decay_end": 0.04,
    "layer_scale_init": 1.0,
}
METHODS: dict[str, dict[str, Any]] = {
    "mae": {
        "epochs": 32,
        "batch_size": 32,
        "hyper": {"lr_batch": 32, "lr": 1e-3, "warmup_epochs": 2, "norm_pixels": False},
    },
    "dino": {
        "epochs": 6,
        "batch_size": 32,
        "hyper": {**HEADS, "lr_batch": 32, "lr": 1e-3, "momentum": 0.993, "local_count": 4},
    },
    "dinov2": {
        "epochs": 5,
        "batch_size": 16,
        "hyper": {
            **HEADS,
            "lr_batch": 16,
            "lr": 5e-4,
            "momentum": 0.99,
            "local_count": 2,
            "patch_prototypes": 128,
            "patch_embed_lr": 1.0,
            "layer_decay": 1.0,
            "quarter_turns": True,
        },
    },
}
# From trained weights: larger views, gentle steps. A masked autoencoder begins with a decoder that
# knows nothing, and its encoder pays for that at a higher rate.
CONTINUED: dict[str, Any] = {"epochs": 2, "image_size": 96, "normalise": "half"}
CONTINUED_HYPER: dict[str, dict[str, Any]] = {
    "mae": {"lr": 2e-5, "warmup_epochs": 0, "norm_pixels": True},
    "dino": {"lr": 1e-4},
    "dinov2": {"lr": 1e-4},
}


@dataclass(frozen=True)
class MethodBench:
    """What one method learns.

    Attributes:
        method: Its name.
    """

    method: str

    def measure(self, shared: Path) -> dict[str, Any]:
        """Scores of every seed, and of what goes on from trained weights."""
        # Small networks gain less than half from a second thread: one for each run.
        os.environ["OMP_NUM_THREADS"] = "1"
        with (
            tempfile.TemporaryDirectory() as folder,
            ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        ):
            bench = Bench(shared, Path(folder))
            runs = [pool.submit(bench.run, self.method, seed) for seed in SEEDS]
            continued = pool.submit(bench.continued, self.method)
            return {
                "dataset": "aid100, pretrained on train of random-0, scored on its test",
                "settings": {**COMMON, **METHODS[self.method]},
                **gains([run.result() for run in runs]),
                "continued": {
                    "settings": {**CONTINUED, "hyper": CONTINUED_HYPER[self.method]},
                    **continued.result(),
                },
            }


MAE, DINO, DINOV2 = (MethodBench(method) for method in METHODS)


def gains(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Scores of every seed by probe, and what pretraining adds."""
    found: dict[str, Any] = {"seconds": [row["seconds"] for row in rows]}
    for probe in PROBES:
        before = [row["before"][probe] for row in rows]
        after = [row["after"][probe] for row in rows]
        added = [b - a for a, b in zip(before, after, strict=True)]
        found[probe] = {
            "random": before,
            "pretrained": after,
            "least_gain": round(min(added), 3),
            "mean_gain": round(sum(added) / len(added), 3),
        }
    return found


@dataclass(frozen=True)
class Bench:
    """Runs, each in a process of its own.

    Attributes:
        shared: Folder of the imagery and weights.
        folder: Where checkpoints and features go.
    """

    shared: Path
    folder: Path

    def run(self, method: str, seed: int) -> dict[str, Any]:
        """Scores before and after, and the seconds of the training between."""
        return self._compared(method, {**COMMON, **METHODS[method], "seed": seed})

    def continued(self, method: str) -> dict[str, Any]:
        """From the trained ViT-Tiny, at its own patch, with the statistics that it was made for."""
        settings = {**COMMON, **METHODS[method], **CONTINUED}
        settings["hyper"] = {**METHODS[method]["hyper"], **CONTINUED_HYPER[method]}
        settings["weights"] = str(self.shared / "weights" / "vit_tiny_patch16_224.safetensors")
        return self._compared(method, settings)

    def _compared(self, method: str, settings: dict[str, Any]) -> dict[str, Any]:
        before = self._scores(self._pretrain(method, {**settings, "epochs": 0}))
        start = time.perf_counter()
        trained = self._pretrain(method, settings)
        seconds = round(time.perf_counter() - start)
        return {"seconds": seconds, "before": before, "after": self._scores(trained)}

    def _pretrain(self, method: str, settings: dict[str, Any]) -> Path:
        options = dict(settings)
        model = options.pop("model")
        aid = self.shared / "data" / "aid100"
        return featbank.pretrain(method, model, aid, bank=self.folder / "bank", **options)

    def _scores(self, checkpoint: Path) -> dict[str, float]:
        bank, aid = self.folder / "bank", self.shared / "data" / "aid100"
        store = featbank.embed(str(checkpoint), aid, bank=bank)
        return {probe: _score(probe, store, bank) for probe in PROBES}


def _score(probe: str, store: Path, bank: Path) -> float:
    rows = featbank.probe(probe, store, bank=bank, split_scheme="random-0", resamples=0)
    return round(float(rows.loc[0, "value"]), 3)
