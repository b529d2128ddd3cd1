"""A store as a notebook shows it: what it holds, how it was made, how its samples are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.record_html import Html, counts_text, fold_html, record_html, table_html
from featbank.samples import SPLITS

if TYPE_CHECKING:
    from featbank.store.reader import Store


def store_html(store: Store) -> Html:
    """The store in HTML; features themselves are not read.

    Args:
        store: An open store.
    """
    told = store.attributes
    facts = {
        "samples": _samples(store),
        "features": _features(store),
        "labels": ", ".join(_label_set(store, name) for name in store.label_sets) or "none",
        "splits": _splits(store),
        "weights": told.get("weights"),
        "recipe": str(told["recipe_id"])[:12],
        "made by": told["command"],
        "path": store.path,
    }
    parts = [_classes(store, name) for name in store.label_sets]
    return record_html(f"Store: {told['dataset']} by {told['model']}", facts, parts)


def _samples(store: Store) -> str:
    refused = int((~store.valid).sum())
    excluded = int((store.exclude != "").sum())
    others = counts_text({"refused": refused, "excluded": excluded})
    return f"{len(store):,}" + (f" ({others})" if others else "")


def _features(store: Store) -> str:
    widths = (f"{name} ({store.feature_array(name).shape[-1]})" for name in store.feature_names)
    layers = ", ".join(map(str, store.layers))
    return f"{', '.join(widths)}; {'layers' if len(store.layers) > 1 else 'layer'} {layers}"


def _label_set(store: Store, name: str) -> str:
    several = ", several a sample" if store.labels(name).ndim == 2 else ""
    return f"{name} ({len(store.classes(name))} classes{several})"


def _splits(store: Store) -> str:
    if not store.split_schemes:
        return "none"
    split = store.split()
    counts = counts_text({name: int((split == name).sum()) for name in SPLITS})
    others = store.split_schemes[1:]
    beside = f"; also {', '.join(others)}" if others else ""
    return f"{store.split_schemes[0]}: {counts}{beside}"


def _classes(store: Store, name: str) -> Html:
    labels, classes = store.labels(name), store.classes(name)
    if labels.ndim == 2:
        counts = (labels == 1).sum(axis=0)
    else:
        counts = np.bincount(labels[labels >= 0], minlength=len(classes))
    order = np.argsort(-counts, kind="stable")
    rows = [(classes[k], int(counts[k])) for k in order]
    return fold_html(f"samples of each class: {name}", table_html(("class", "samples"), rows))
