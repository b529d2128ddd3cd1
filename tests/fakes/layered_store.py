"""Makes a finished store of one class a sample, with CLS and mean of several blocks."""

from __future__ import annotations

import numpy as np

from featbank.samples import LabelSet, Samples
from featbank.store.create import NewStore, create_store
from featbank.store.schema import FeatureLayout
from featbank.store.writer import StoreWriter

N, D, SHARD_ROWS = 240, 6, 256
CLASSES = ("forest", "water", "town")
ATTRIBUTES = {
    "recipe": {"algorithm": 1},
    "recipe_id": "2" * 64,
    "default_feature": "cls",
    "label_sets": ["cover"],
    "split_schemes": ["official"],
    "dataset": "made",
    "model": "vit",
    "weights": "vit.safetensors",
    "fitted_scheme": "",
    "labels_sha256": "3" * 64,
    "bands": ["B04", "B03", "B02"],
    "command": "featbank embed --model vit --dataset made --limit 80",
}


def make_layered_store(path, *, layers=(8, 9, 10, 11), names=("cls", "mean"), **changes):
    """Block 11 tells the classes apart, earlier blocks less; ``changes`` are attributes,
    ``codes`` or ``features``."""
    codes = changes.pop("codes", np.arange(N) % len(CLASSES))
    layout = FeatureLayout(names=names, dim=D, layers=layers, shard_rows=SHARD_ROWS)
    features = changes.pop("features", None)
    samples = Samples(
        ids=np.array([f"chip-{i:03d}" for i in range(N)], dtype=object),
        origins=np.array([str(i) for i in range(N)], dtype=object),
        labels={"cover": LabelSet(classes=CLASSES, codes=np.asarray(codes, np.int32))},
        splits={"official": (np.arange(N) // 3 % 4 % 3).astype(np.int8)},
        meta={"country": np.array(["Austria", "Serbia"], dtype=object)[np.arange(N) % 2]},
    )
    create_store(path, NewStore(samples=samples, layout=layout, attributes=ATTRIBUTES | changes))
    writer = StoreWriter(path, layout, N)
    buffers = writer.empty_shard(0)
    for name in names:
        buffers[name][:] = make_features(codes, layers, name) if features is None else features
    buffers["valid"][:] = True
    writer.write(0, buffers)
    writer.finish()
    return path


def make_features(codes, layers, name):
    """(N, L, D), the classes further apart in later layers."""
    rng = np.random.default_rng(len(name))
    features = rng.normal(size=(N, len(layers), D)).astype(np.float32)
    gains = np.linspace(0.5, 1.5, len(layers))[None, :, None]
    return features + gains * np.eye(len(CLASSES), D)[np.asarray(codes)][:, None]
