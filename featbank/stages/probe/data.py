"""The rows and features that a probe is fitted, chosen and scored on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError
from featbank.sources.split_gaps import lacking_classes, other_schemes
from featbank.stages.probe.distances import distances_to, outside_buffer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.probes.protocols import ProtocolSpec
    from featbank.stages.probe.distances import Distances
    from featbank.stages.probe.features import Columns, ProbeFeatures
    from featbank.store.reader import Store

    Rows = NDArray[np.intp]

# What PANGAEA and torchgeo-bench take where a dataset publishes no validation split; our own
# schemes keep the same share.
VALIDATION_SHARE = 0.2
# dinov2/eval/log_regression.py draws its share of train with seed 0, whatever else is seeded.
HELD_OUT_SEED = 0


@dataclass(frozen=True, kw_only=True)
class ProbeData:
    """Features, labels and rows of one store for one label set and split scheme.

    Attributes:
        features: (N, D) of all samples.
        labels: (N,) class indices, or (N, K) 0 and 1 where a sample may bear several labels.
        classes: K class names.
        rows: Row numbers by use: ``train`` to fit candidates on, ``val`` to choose among them,
            ``final`` to fit the scored probe on, ``test``.
        groups: (N,) group of each sample; None where the dataset does not say.
        refused: Refused samples of the test split.
        views: (start, stop) pairs of columns by view.
        note: What a reader must know of the rows: where validation comes from, when it is not the
            scheme's own; what a buffer drops; what the split lacks.
        lonlat: (N, 2) degrees, WGS 84; None where no place is known.
    """

    features: NDArray[np.float32]
    labels: Array
    classes: tuple[str, ...]
    rows: dict[str, Rows]
    groups: Array | None
    refused: int
    views: Mapping[str, Columns] = field(default_factory=dict)
    note: str = ""
    lonlat: NDArray[np.float64] | None = None

    @property
    def is_multilabel(self) -> bool:
        """Whether a sample may bear several labels."""
        return self.labels.ndim == 2

    @property
    def distances(self) -> Distances:
        """How far test samples lie from what the scored probe is fitted on."""
        return distances_to(self.lonlat, self.rows["test"], self.rows["final"])


def probe_data(
    store: Store,
    features: ProbeFeatures,
    protocol: ProtocolSpec,
    *,
    label_set: str,
    scheme: str,
    seed: int,
    buffer_m: float | None = None,
) -> ProbeData:
    """Gather what a probe needs from a store.

    Raises:
        ProbeError: A split scheme without train or test samples, one class only in train,
            features that are not finite, or a buffer that leaves nothing.
    """
    split, usable = store.split(scheme), store.usable(label_set)
    rows = {name: np.flatnonzero(usable & (split == name)) for name in ("train", "val", "test")}
    _require(store, rows, scheme, label_set)
    labels = store.labels(label_set)
    notes = []
    if buffer_m is not None:
        rows, dropped = outside_buffer(store, rows, buffer_m)
        notes.append(dropped)
    _require_classes(store, labels, rows["train"], scheme=scheme, label_set=label_set)
    notes.append(lacking_classes(labels, rows, store.classes(label_set)))
    _require_finite(store, features.values, np.concatenate(list(rows.values())))
    chosen, note = _choose_rows(store, rows, protocol, seed)
    return ProbeData(
        features=features.values,
        labels=labels,
        classes=store.classes(label_set),
        rows=chosen,
        groups=store.group,
        refused=int(((split == "test") & ~store.valid).sum()),
        views=features.views,
        note="; ".join(told for told in (*notes, note) if told),
        lonlat=store.lonlat,
    )


def _choose_rows(
    store: Store, rows: dict[str, Rows], protocol: ProtocolSpec, seed: int
) -> tuple[dict[str, Rows], str]:
    """Rows by use, and where validation comes from."""
    final = np.concatenate([rows[name] for name in protocol.final_on])
    note = ""
    train, val = rows["train"], rows["val"]
    if isinstance(protocol.chosen_on, float):
        note = f"validation is {protocol.chosen_on:.0%} of train (seed {HELD_OUT_SEED})"
        order = np.random.default_rng(HELD_OUT_SEED).permutation(train)
        cut = max(1, int(protocol.chosen_on * len(train)))
        train, val = np.sort(order[cut:]), np.sort(order[:cut])
    elif not len(val):
        train, val = _carve(store, train, seed)
        note = f"validation is {VALIDATION_SHARE:.0%} of train (seed {seed})"
    return {"train": train, "val": val, "final": final, "test": rows["test"]}, note


def _require(store: Store, rows: dict[str, Rows], scheme: str, label_set: str) -> None:
    for name in ("train", "test"):
        if not len(rows[name]):
            raise ProbeError(
                str(store.path),
                f"split scheme '{scheme}' has no usable {name} sample with labels '{label_set}'",
                "labelled samples in train and test",
                store.attributes.get("splits_from") or other_schemes(store, scheme, label_set),
            )


def _require_classes(
    store: Store, every: Array, train: Rows, *, scheme: str, label_set: str
) -> None:
    labels, classes = every[train], store.classes(label_set)
    present = np.flatnonzero(labels.any(axis=0)) if labels.ndim == 2 else np.unique(labels)
    if len(present) < (1 if labels.ndim == 2 else 2):
        held = f"one class, '{classes[present[0]]}'" if len(present) else "no positive of any label"
        raise ProbeError(
            str(store.path),
            f"its training samples hold {held}",
            "two classes or more" if labels.ndim == 1 else "samples that bear a label",
            other_schemes(store, scheme, label_set),
        )


def _require_finite(store: Store, features: NDArray[np.float32], rows: Rows) -> None:
    # Valid rows are finite when they are written, so this is a file that is lost or damaged.
    # The sum of a row is finite just where all of it is, and takes no second copy.
    broken = rows[~np.isfinite(features.sum(axis=1, dtype=np.float64))[rows]]
    if len(broken):
        raise ProbeError(
            str(store.path),
            f"features of {len(broken)} valid samples are missing or not finite, the first is "
            f"'{store.ids[broken[0]]}'",
            "finite numbers, as they were written",
            "A shard is damaged: copy the store again, or remove it and embed again.",
        )


def _carve(store: Store, train: Rows, seed: int) -> tuple[Rows, Rows]:
    """Split train rows in two, whole groups together where the dataset has groups."""
    units = train.astype(str) if store.group is None else store.group[train]
    names, unit_of = np.unique(units, return_inverse=True)
    if len(names) < 2:
        raise ProbeError(
            str(store.path),
            "train is one sample or group, and there is no validation split",
            "two or more, so that a part can be held out",
            "Embed more chips, of other groups.",
        )
    order = np.random.default_rng(seed).permutation(len(names))
    count = max(1, round(VALIDATION_SHARE * len(names)))
    is_validation = np.isin(unit_of, order[:count])
    return train[~is_validation], train[is_validation]
