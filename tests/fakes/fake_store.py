"""Makes a small store of known features."""

from __future__ import annotations

import numpy as np

from featbank.samples import NO_TIME, LabelSet, Samples
from featbank.store.create import NewStore, create_store
from featbank.store.schema import FeatureLayout
from featbank.store.writer import StoreWriter

N, SHARD_ROWS = 150, 64
LAYOUT = FeatureLayout(
    names=("cls", "mean", "tokens"),
    dim=6,
    layers=(3, 11),
    token_grid=(2, 3),
    shard_rows=SHARD_ROWS,
)
ATTRIBUTES = {
    "recipe": {"algorithm": 1},
    "recipe_id": "0" * 64,
    "default_feature": "cls",
    "label_sets": ["cover", "kinds"],
    "split_schemes": ["random-0"],
    "dataset": "made",
    "model": "none",
    "command": "featbank embed --model none --dataset made",
}


def make_samples(n: int = N) -> Samples:
    rng = np.random.default_rng(1)
    return Samples(
        ids=np.array([f"chip-{i:03d}-é" for i in range(n)], dtype=object),
        origins=np.array([str(i) for i in range(n)], dtype=object),
        labels={
            "cover": LabelSet(classes=("water", "wood", "town"), codes=rng.integers(-1, 3, n)),
            "kinds": LabelSet(classes=("a", "b"), codes=rng.integers(0, 2, (n, 2))),
        },
        splits={"random-0": np.arange(n).astype(np.int8) % 3},
        group=np.array([f"g{i // 4}" for i in range(n)], dtype=object),
        lonlat=rng.uniform(0, 10, (n, 2)),
        time=np.where(np.arange(n) == 3, NO_TIME, 1_500_000_000 + np.arange(n)),
        exclude=np.array(["snow" if i == 5 else "" for i in range(n)], dtype=object),
        meta={"season": np.array(["spring"] * n, dtype=object)},
    )


def make_shard(writer: StoreWriter, shard: int):
    rng = np.random.default_rng(shard)
    buffers = writer.empty_shard(shard)
    for name in LAYOUT.names:
        buffers[name][:] = rng.normal(size=buffers[name].shape)
    buffers["valid"][:] = True
    if shard == 0:
        buffers["valid"][7], buffers["refused"][7] = False, "a text file"
        for name in LAYOUT.names:
            buffers[name][7] = np.nan
    return buffers


def make_store(path, shards=(0, 1, 2)):
    norm = (np.ones(6, np.float32), np.zeros(6, np.float32))
    new = NewStore(samples=make_samples(), layout=LAYOUT, attributes=ATTRIBUTES, token_norm=norm)
    create_store(path, new)
    writer = StoreWriter(path, LAYOUT, N)
    for shard in shards:
        writer.write(shard, make_shard(writer, shard))
    if len(shards) == writer.shards:
        writer.finish()
    return path
