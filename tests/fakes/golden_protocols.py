"""The golden file of protocols as a finished store: aid100's features, labels and splits."""

from __future__ import annotations

import json

import numpy as np
from layered_store import ATTRIBUTES
from safetensors.numpy import load_file
from safetensors.numpy import safe_open as open_file

from featbank.samples import LabelSet, Samples
from featbank.store.create import NewStore, create_store
from featbank.store.schema import FeatureLayout
from featbank.store.writer import StoreWriter

LAYERS = (8, 9, 10, 11)
SCHEMES = ("random-0", "random-1")


def read_golden(path):
    """Arrays by name, sample ids, and the figures that the authors' own code gave."""
    with open_file(path, "np") as file:
        told = file.metadata()
    return load_file(path), told["ids"].split("\n"), json.loads(told["figures"])


def make_golden_store(path, golden, ids):
    """A store of 4 blocks; what no protocol may read is noise."""
    features, n = golden_features(golden), len(ids)
    layout = FeatureLayout(names=tuple(features), dim=192, layers=LAYERS, shard_rows=4096)
    classes = [name.split("/")[0] for name in ids]
    samples = Samples(
        ids=np.array(ids, dtype=object),
        origins=np.array(ids, dtype=object),
        labels={
            "scene": LabelSet(
                classes=tuple(sorted(set(classes))), codes=golden["labels"].astype(np.int32)
            )
        },
        splits={scheme: golden[f"split.{scheme}"] for scheme in SCHEMES},
    )
    told = ATTRIBUTES | {"label_sets": ["scene"], "split_schemes": list(SCHEMES)}
    create_store(path, NewStore(samples=samples, layout=layout, attributes=told))
    writer = StoreWriter(path, layout, n)
    buffers = writer.empty_shard(0)
    for name, values in features.items():
        buffers[name][:] = values
    buffers["valid"][:] = True
    writer.write(0, buffers)
    writer.finish()
    return path


def golden_features(golden):
    """(N, 4, 192) by name; CLS of block 11 alone is in the file, the other blocks are noise."""
    n = len(golden["labels"])
    cls = np.random.default_rng(0).normal(size=(n, len(LAYERS), 192)).astype(np.float32)
    cls[:, -1] = golden["features.cls"]
    pooled = golden["features.mean4"].reshape(n, len(LAYERS), 192)
    mean, raw = cls[::-1].copy(), cls[::-1].copy()
    mean[:, -1], raw[:, :-1] = pooled[:, -1], pooled[:, :-1]
    return {"cls": cls, "mean": mean, "mean_raw": raw}
