"""Makes rows of results."""

from __future__ import annotations

from featbank.result import Result

ROW = {
    "metric": "accuracy",
    "value": 0.8,
    "n": 100,
    "n_invalid": 0,
    "n_train": 300,
    "split": "test",
    "split_scheme": "official",
    "label_set": "class",
    "probe": "knn",
    "protocol": "featbank-knn",
    "feature": "cls",
    "layer": 11,
    "params": '{"k": 20}',
    "seed": 0,
    "resampled": "sample",
    "model": "vit",
    "weights": "vit.safetensors",
    "dataset": "made",
    "store": "made.zarr",
    "recipe": "0" * 64,
    "labels_sha256": "1" * 64,
    "result": "2" * 16,
}


def make_result(**changes) -> Result:
    return Result(**ROW | changes)
