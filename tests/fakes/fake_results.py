"""Results and predictions in a bank, as ``featbank probe`` keeps them, without any probe."""

from __future__ import annotations

import numpy as np

from featbank.bank.bank import Bank
from featbank.bank.results import Predictions, write_predictions, write_results
from featbank.result import Result

N, CLASSES = 240, ("field", "forest", "water")
IDS = np.array([f"chip-{i:03d}" for i in range(N)], dtype=object)


def one_class(skill, seed=0):
    """Truth (N,) and scores (N, K); the greater the skill, the more of them right."""
    truth = np.random.default_rng(9).integers(len(CLASSES), size=N)
    noise = np.random.default_rng(seed).dirichlet(np.ones(3), size=N)
    return truth, (1 - skill) * noise + skill * np.eye(3)[truth]


def labels(skill, seed=0):
    """Truth (N, K) of 0 and 1 and scores (N, K)."""
    truth = (np.random.default_rng(9).uniform(size=(N, 3)) < [0.5, 0.3, 0.2]).astype(np.int8)
    noise = np.random.default_rng(seed).uniform(size=(N, 3))
    return truth, (1 - skill) * noise + skill * truth


def keep(root, result, truth, scores, *, ids=IDS, classes=CLASSES, **fields):
    """Write a result's headline and predictions."""
    is_multilabel = truth.ndim == 2
    row = {
        "metric": "map" if is_multilabel else "accuracy",
        "average": "macro" if is_multilabel else None,
        "value": 0.5,
        "n": len(truth),
        "n_invalid": 0,
        "n_train": 100,
        "split": "test",
        "split_scheme": "official",
        "label_set": "cover",
        "probe": "knn",
        "protocol": "featbank-knn",
        "feature": "cls",
        "layer": 11,
        "params": "{}",
        "seed": 0,
        "selected": True,
        "resampled": "sample",
        "model": "none",
        "weights": "none",
        "dataset": "made",
        "store": str(root / "stores" / "made" / "none-00000000.zarr"),
        "recipe": "0" * 64,
        "labels_sha256": "1" * 64,
        "result": result,
    }
    thresholds = {"0.5": np.full(3, 0.5), "tuned-f2": np.full(3, 0.3)} if is_multilabel else {}
    said = Predictions(
        ids=ids, split="test", truth=truth, scores=scores, classes=classes, thresholds=thresholds
    )
    write_predictions(Bank(root), result, said)
    write_results(Bank(root), [Result(**row | fields)])
