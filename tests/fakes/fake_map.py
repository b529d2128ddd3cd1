"""Makes a map of a store without any projection."""

from __future__ import annotations

import numpy as np

from featbank.bank.maps import FeatureMap


def make_map(store, rows=None, **changes):
    """A map of some rows of a store, points on a grid in the order of the rows."""
    rows = np.arange(len(store)) if rows is None else np.asarray(rows)
    side = int(np.ceil(np.sqrt(len(rows))))
    place = np.arange(len(rows))
    fields = {
        "id": "a" * 64,
        "ids": store.ids[rows],
        "xy": np.column_stack([place % side, place // side]).astype(np.float32),
        "is_fitted": np.ones(len(rows), dtype=bool),
        "recipe": {"store": store.attributes["recipe_id"], "projection": "pca", "seed": 0},
        "quality": {"2-D": {"trustworthiness": 0.9123}},
    }
    return FeatureMap(**fields | changes)
