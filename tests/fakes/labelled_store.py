"""Makes a finished store whose samples bear several labels that its features tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from featbank.samples import LabelSet, Samples
from featbank.store.create import NewStore, create_store
from featbank.store.schema import FeatureLayout
from featbank.store.writer import StoreWriter

N, D, SHARD_ROWS = 400, 8, 256
CLASSES = ("urban fabric", "broad-leaved forest", "inland waters, lakes", "rice fields", "snow")
# Snow is never borne; rice fields are rare enough for the pooled threshold.
SHARES = (0.6, 0.4, 0.25, 0.06, 0.0)
LAYOUT = FeatureLayout(names=("mean",), dim=D, layers=(0,), token_grid=None, shard_rows=SHARD_ROWS)
ATTRIBUTES = {
    "recipe": {"algorithm": 1},
    "recipe_id": "0" * 64,
    "default_feature": "mean",
    "label_sets": ["cover", "any", "dominant"],
    "split_schemes": ["official", "bare"],
    "dataset": "made",
    "model": "none",
    "weights": "none",
    "fitted_scheme": "",
    "labels_sha256": "1" * 64,
    "command": "featbank embed --model none --dataset made",
}


def make_labels() -> np.ndarray:
    """(N, K) int8; sample 9 is unlabelled."""
    codes = (np.random.default_rng(0).uniform(size=(N, len(SHARES))) < SHARES).astype(np.int8)
    codes[9] = -1
    return codes


def make_samples(**changes) -> Samples:
    codes = make_labels()
    first = np.where(codes.max(axis=1) > 0, codes.argmax(axis=1), -1).astype(np.int32)
    samples = Samples(
        ids=np.array([f"chip-{i:03d}" for i in range(N)], dtype=object),
        origins=np.array([str(i) for i in range(N)], dtype=object),
        labels={
            "cover": LabelSet(classes=CLASSES, codes=codes),
            "any": LabelSet(classes=CLASSES[:1], codes=codes[:, :1]),
            "dominant": LabelSet(classes=CLASSES, codes=first),
        },
        splits={
            "official": (np.arange(N) % 4 % 3).astype(np.int8),
            "bare": np.full(N, 3, np.int8),
        },
        group=np.array([f"tile-{i // 8}" for i in range(N)], dtype=object),
    )
    return replace(samples, **changes)


def make_features() -> np.ndarray:
    """(N, D): each label that is borne shifts its own feature."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(N, D)).astype(np.float32)
    features[:, : len(SHARES)] += 2.5 * np.maximum(make_labels(), 0)
    return features


def make_labelled_store(path, attributes=None, **changes):
    samples = make_samples(**changes)
    new = NewStore(samples=samples, layout=LAYOUT, attributes=ATTRIBUTES | (attributes or {}))
    create_store(path, new)
    writer, features = StoreWriter(path, LAYOUT, N), make_features()
    for shard in range(writer.shards):
        buffers = writer.empty_shard(shard)
        rows = features[shard * SHARD_ROWS :][: len(buffers["valid"])]
        buffers["mean"][:, 0] = rows
        buffers["valid"][:] = True
        writer.write(shard, buffers)
    writer.finish()
    return path
