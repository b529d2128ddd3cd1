"""Kinds of forest on real and made features: score on test against processor seconds of the fit.

One class a sample: accuracy on 3,000 aerial scenes by the tiny ViT. Several labels: macro mAP on
2,000 chips of the landscape as Sentinel-2 sees it, by random convolutional features. Fits are on
train and validation. Processor seconds are those of all threads. Boosting fits one model a label.
"""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import featbank
from featbank.metrics.scoring.multilabel_scoring import mean_average_precision
from featbank.probes.fitting.forest_classifier import ForestClassifier

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (0, 1, 2)
FORESTS: dict[str, dict[str, Any]] = {
    "random forest, 100 trees": {"kind": "random-forest", "trees": 100},
    "random forest, 200 trees": {"kind": "random-forest", "trees": 200},
    "extra trees, 100 trees": {"trees": 100},
    "extra trees, 200 trees": {"trees": 200},
    "extra trees, 300 trees": {"trees": 300},
    "extra trees, 200 trees of 256 leaves": {"trees": 200, "max_leaves": 256},
}
# One round is a tree a class or label; 20 are more seconds than all forests together.
BOOSTING_ROUNDS = (5, 20)


def measure(shared: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as bank:
        sets = samples(shared, bank)
        rows = {
            name: {label: row(params, data) for label, data in sets.items()}
            for name, params in FORESTS.items()
        }
        for rounds in BOOSTING_ROUNDS:
            rows[f"gradient boosting, {rounds} rounds"] = {
                label: boosted(rounds, data) for label, data in sets.items()
            }
    return {"score_and_processor_s": rows, "seeds": len(SEEDS)}


def samples(shared: Path, bank: str) -> dict[str, tuple[Any, ...]]:
    weights = shared / "weights" / "vit_tiny_patch16_224.safetensors"
    aid = featbank.embed(
        "vit-tiny", shared / "data" / "aid100", weights=weights, normalise="half", bank=bank
    )
    landscape = featbank.embed("rcf", "synthetic-s2", bank=bank)
    return {"aid100": parts(aid, None), "synthetic-s2": parts(landscape, "cover")}


def parts(store: Any, labels: str | None) -> tuple[Any, ...]:
    (X, y), (X_val, y_val), (X_test, y_test) = (
        store.xy(split, labels=labels) for split in ("train", "val", "test")
    )
    return np.concatenate([X, X_val]), np.concatenate([y, y_val]), X_test, y_test


def row(params: dict[str, Any], data: tuple[Any, ...]) -> list[float]:
    scores, seconds = [], []
    for seed in SEEDS:
        start = time.process_time()
        forest = ForestClassifier(**params, random_state=seed).fit(*data[:2])
        seconds.append(time.process_time() - start)
        scores.append(score(data[3], forest.predict_proba(data[2])))
    return [round(float(np.mean(scores)), 3), round(float(np.mean(seconds)), 1)]


def boosted(rounds: int, data: tuple[Any, ...]) -> list[float]:
    X, y, X_test, y_test = data
    start = time.process_time()
    columns = y.T if y.ndim == 2 else [y]
    fits = [_boosting(rounds).fit(X, column) if np.ptp(column) else None for column in columns]
    seconds = time.process_time() - start
    found = [
        np.tile([1.0 - c[0], c[0]], (len(X_test), 1)) if f is None else f.predict_proba(X_test)
        for f, c in zip(fits, columns, strict=True)
    ]
    scores = found[0] if y.ndim == 1 else np.stack([f[:, 1] for f in found], axis=1)
    return [round(score(y_test, scores), 3), round(seconds, 1)]


def _boosting(rounds: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=rounds, max_leaf_nodes=15, early_stopping=False, random_state=0
    )


def score(y: Any, scores: Any) -> float:
    if y.ndim == 2:
        return float(mean_average_precision(y, scores))
    return float((scores.argmax(axis=1) == y).mean())
