"""Makes a finished store of chips along a line on the ground, with the schemes drawn for them."""

from __future__ import annotations

import numpy as np
from pyproj import Transformer
from small_store import make_small_store

from featbank.datasets.splits import with_splits
from featbank.samples import LabelSet, Samples

N, STEP_M, SIDE_M = 90, 1000.0, 320.0
CLASSES = ("water", "wood", "town")


def places(n=N, step_m=STEP_M):
    """Columns of chips one behind the other, eastwards in UTM zone 32."""
    x, y = 400_000 + np.arange(n) * step_m, np.full(n, 5_300_000.0)
    lonlat = Transformer.from_crs(32632, 4326, always_xy=True).transform(
        x + SIDE_M / 2, y + SIDE_M / 2
    )
    return {
        "bbox": np.stack([x, y, x + SIDE_M, y + SIDE_M], axis=1),
        "crs": np.full(n, "EPSG:32632", dtype=object),
        "lonlat": np.stack(lonlat, axis=1),
    }


def placed_samples(codes=None, **columns):
    codes = np.arange(N) % 3 if codes is None else np.asarray(codes)
    ids = np.array([f"chip-{i:03d}" for i in range(len(codes))], dtype=object)
    labels = {"kind": LabelSet(classes=CLASSES, codes=codes.astype(np.int32))}
    columns = places(len(codes)) | columns
    return with_splits(Samples(ids=ids, origins=ids, labels=labels, **columns))


def make_placed_store(path, samples=None, attributes=None):
    """A store of ``placed_samples``, whose features tell the class."""
    samples = placed_samples() if samples is None else samples
    codes = next(iter(samples.labels.values())).codes
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(samples), 4)) + 3 * np.eye(4)[codes]
    columns = {
        name: getattr(samples, name)
        for name in ("labels", "splits", "aliases", "split_notes", "lonlat", "bbox", "crs", "group")
    }
    told = {
        "scheme_aliases": dict(samples.aliases),
        "split_notes": dict(samples.split_notes),
        "notes": list(samples.notes),
        "statistics_source": "none",
        "weights_licence": "",
        "dataset_licence": "",
        "dataset_citation": "",
    }
    return make_small_store(
        path, samples.ids, features, attributes=told | (attributes or {}), **columns
    )
