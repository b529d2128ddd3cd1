"""Makes small stores of given ids, features and labels, which tests join, transfer and compare."""

from __future__ import annotations

import copy

import numpy as np

from featbank.samples import LabelSet, Samples
from featbank.store.create import NewStore, create_store
from featbank.store.reader import Store
from featbank.store.schema import FeatureLayout
from featbank.store.writer import StoreWriter

CLASSES = ("water", "wood", "town")
RECIPE = {
    "algorithm": 1,
    "schema": 1,
    "dataset": {"name": "made", "samples": 0, "fingerprint": "f" * 64, "units": ["DN", "DN"],
                "processing": "raw"},
    "input": {"bands": ["B1", "B2"], "adapter": "none", "image_size": 32, "resize": "bicubic",
              "normalise": {"method": "dataset", "mean": [1.0, 2.0], "std": [3.0, 4.0],
                            "source": "fitted on made"}},
    "model": {"name": "tiny", "config": {"channels": 2}, "weights_sha256": "a" * 64},
    "features": ["mean"],
    "layers": [0],
    "compute_dtype": "float32",
    "store_dtype": "float32",
    "layout": {"shard_rows": 256, "chunk_rows": 256},
}  # fmt: skip


def changed(field, value, recipe=None):
    """The recipe with one field changed, such as ``input.bands``."""
    recipe = copy.deepcopy(RECIPE if recipe is None else recipe)
    *folders, name = field.split(".")
    inner = recipe
    for folder in folders:
        inner = inner[folder]
    inner[name] = value
    return recipe


def make_small_store(path, ids, features, *, refused=(), layers=(0,), attributes=None,
                     missing=0.0, **columns):  # fmt: skip
    """A finished store; ``features`` is (n, D) or (n, L, D), ``columns`` are fields of Samples."""
    features = np.asarray(features, dtype=np.float32)
    features = features[:, None].repeat(len(layers), axis=1) if features.ndim == 2 else features
    n = len(ids)
    columns = {
        "labels": {"kind": LabelSet(classes=CLASSES, codes=(np.arange(n) % 3).astype(np.int32))},
        "splits": {"official": (np.arange(n) % 4 % 3).astype(np.int8)},
    } | columns
    samples = Samples(ids=np.array(ids, dtype=object), origins=np.array(ids, dtype=object),
                      **columns)  # fmt: skip
    name = (attributes or {}).get("default_feature", "mean")
    layout = FeatureLayout(names=(name,), dim=features.shape[2], layers=layers, shard_rows=256)
    told = {
        "recipe": RECIPE, "recipe_id": path.stem.ljust(64, "0"), "default_feature": name,
        "label_sets": list(samples.labels), "split_schemes": list(samples.splits),
        "dataset": "made", "model": "tiny", "weights": "tiny.safetensors", "fitted_scheme": "",
        "command": "featbank embed",
    } | (attributes or {})  # fmt: skip
    create_store(path, NewStore(samples=samples, layout=layout, attributes=told))
    writer = StoreWriter(path, layout, n)
    for shard in range(writer.shards):
        buffers = writer.empty_shard(shard)
        rows = slice(shard * 256, shard * 256 + len(buffers["valid"]))
        buffers[name][:] = features[rows]
        buffers["valid"][:] = True
        buffers["missing"][:] = np.broadcast_to(missing, n)[rows]
        for row in (row - rows.start for row in refused if rows.start <= row < rows.stop):
            buffers[name][row], buffers["valid"][row] = np.nan, False
            buffers["refused"][row] = "torn"
        writer.write(shard, buffers)
    writer.finish()
    return Store(path)
