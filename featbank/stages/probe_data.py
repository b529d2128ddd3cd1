"""The rows and features that a probe is fitted, chosen and scored on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.store.reader import Store

# What PANGAEA and torchgeo-bench take where a dataset publishes no validation split; our own
# schemes keep the same share.
VALIDATION_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class ProbeData:
    """Features, labels and rows of one store for one label set and split scheme.

    Attributes:
        features: (N, D) of all samples.
        labels: (N,) class indices, or (N, K) 0 and 1 where a sample may bear several labels.
        classes: K class names.
        rows: Row numbers by split: ``train``, ``val``, ``test``.
        groups: (N,) group of each sample; None where the dataset does not say.
        refused: Refused samples of the test split.
        note: Where validation comes from, when it is not the scheme's own.
    """

    features: NDArray[np.float32]
    labels: Array
    classes: tuple[str, ...]
    rows: dict[str, NDArray[np.intp]]
    groups: Array | None
    refused: int
    note: str = ""

    @property
    def is_multilabel(self) -> bool:
        """Whether a sample may bear several labels."""
        return self.labels.ndim == 2


def probe_data(
    store: Store, *, features: str, layer: int | None, label_set: str, scheme: str, seed: int
) -> ProbeData:
    """Gather what a probe needs from a store.

    Raises:
        ProbeError: A split scheme without train or test samples.
    """
    split, usable = store.split(scheme), store.usable(label_set)
    rows = {name: np.flatnonzero(usable & (split == name)) for name in ("train", "val", "test")}
    _require(store, rows, scheme, label_set)
    note = ""
    if not len(rows["val"]):
        rows["train"], rows["val"] = _carve(store, rows["train"], seed)
        note = f"validation is {VALIDATION_SHARE:.0%} of train (seed {seed})"
    return ProbeData(
        features=store.features(features, layer=layer),
        labels=store.labels(label_set),
        classes=store.classes(label_set),
        rows=rows,
        groups=store.group,
        refused=int(((split == "test") & ~store.valid).sum()),
        note=note,
    )


def _require(store: Store, rows: dict[str, NDArray[np.intp]], scheme: str, label_set: str) -> None:
    for name in ("train", "test"):
        if not len(rows[name]):
            raise ProbeError(
                str(store.path),
                f"split scheme '{scheme}' has no usable {name} sample with labels '{label_set}'",
                "labelled samples in train and test",
                store.attributes.get("splits_from")
                or f"Choose another of {', '.join(store.split_schemes)} with --split-scheme.",
            )


def _carve(
    store: Store, train: NDArray[np.intp], seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split train rows in two, whole groups together where the dataset has groups."""
    units = train.astype(str) if store.group is None else store.group[train]
    names, unit_of = np.unique(units, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    count = max(1, round(VALIDATION_SHARE * len(names)))
    is_validation = np.isin(unit_of, order[:count])
    return train[~is_validation], train[is_validation]
