"""Reading a finished store: features, labels and splits by name, and tables of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from featbank.catalog import suggest
from featbank.errors import StoreError, UnknownNameError
from featbank.samples import SPLITS, UNKNOWN_LABEL
from featbank.store.columns import TIME_COLUMNS, as_text
from featbank.store.on_disk import OnDisk
from featbank.store.schema import (
    CLASS_PREFIX,
    CLS,
    CRS,
    EXCLUDE,
    GROUP,
    LABEL_PREFIX,
    LAYER,
    LONLAT,
    MEAN,
    MEAN_RAW,
    META_PREFIX,
    PAIR_ID,
    REFUSED,
    SAMPLE_ID,
    SPLIT_PREFIX,
    TIME,
    VALID,
)
from featbank.store.state import require_finished
from featbank.store.stored import damaged, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

    from featbank.image import Array

    Show = Callable[["Store", Sequence[str]], Picture]

POOLED = (CLS, MEAN, MEAN_RAW)


class Store(OnDisk):
    """A finished store, read only.

    All arrays are aligned with ``ids``: row i of each speaks of sample i. Refused samples keep
    their rows, with NaN features and ``valid`` false; ``xy`` leaves them out.

    Args:
        path: The store.
        show: Draws chips of sample ids; None where the images are out of reach.

    Raises:
        MissingPathError: There is no store at this path.
        UnfinishedStoreError: Its embedding has not finished.
    """

    def __init__(self, path: Path, *, show: Show | None = None) -> None:
        require_finished(path)
        self.path = path
        self._show = show
        with reading(path, "zarr.json"):
            self._group = zarr.open_group(path, mode="r", zarr_format=3)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        found = f"{self.attributes['dataset']} by {self.attributes['model']}"
        return f"<Store {found}: {len(self)} samples, {', '.join(self.feature_names)}>"

    def _repr_html_(self) -> str:
        from featbank.store.store_html import store_html

        return store_html(self)

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """(N,) sample ids."""
        return self._text(SAMPLE_ID)

    @cached_property
    def exclude(self) -> NDArray[np.object_]:
        """(N,) why the dataset leaves a sample out; '' elsewhere."""
        return (
            self._text(EXCLUDE) if EXCLUDE in self._group else np.full(len(self), "", dtype=object)
        )

    @cached_property
    def group(self) -> NDArray[np.object_] | None:
        """(N,) what makes samples dependent; None where the dataset does not say."""
        return self._text(GROUP) if GROUP in self._group else None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Pooled features that the store holds."""
        return tuple(name for name in POOLED if name in self._group)

    @property
    def layers(self) -> tuple[int, ...]:
        """Block indices of the layer axis."""
        return tuple(int(layer) for layer in self._array(LAYER))

    @property
    def label_sets(self) -> tuple[str, ...]:
        """Names of the label sets, the default first."""
        return tuple(self.attributes["label_sets"])

    @property
    def split_schemes(self) -> tuple[str, ...]:
        """Names of the split schemes, the default first."""
        return tuple(self.attributes["split_schemes"])

    def features(self, name: str | None = None, *, layer: int | None = None) -> NDArray[np.float32]:
        """Features of all samples.

        Args:
            name: ``cls``, ``mean``, or several joined by ``+``; None takes the backbone's default.
            layer: Block index; None takes the last one stored.

        Returns:
            (N, D) float32; NaN rows where a sample was refused.

        Raises:
            UnknownNameError: A feature or layer that the store does not hold.
        """
        position = self.layer_position(layer)
        parts = (name or self.attributes["default_feature"]).split("+")
        columns = [_at_layer(self, part, position) for part in parts]
        joined = columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)
        return np.asarray(joined, dtype=np.float32)

    def labels(self, label_set: str | None = None) -> Array:
        """(N,) int32 class indices, or (N, K) int8 of 0 and 1; -1 unknown."""
        return self._array(f"{LABEL_PREFIX}{self.label_set_name(label_set)}")

    def classes(self, label_set: str | None = None) -> tuple[str, ...]:
        """K class names of a label set."""
        names = self._text(f"{CLASS_PREFIX}{self.label_set_name(label_set)}")
        return tuple(str(name) for name in names)

    def split(self, scheme: str | None = None) -> NDArray[np.object_]:
        """(N,) ``train``, ``val``, ``test`` or ``unlabelled``."""
        name = f"{SPLIT_PREFIX}{self.scheme_name(scheme)}"
        with reading(self.path, name):
            return np.array(SPLITS, dtype=object)[self._array(name)]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names that ``column`` takes; a ``meta_*`` column by its short name where that is free."""
        names = [name for name in (GROUP, PAIR_ID) if name in self._group]
        taken = (GROUP, PAIR_ID)
        short = {name: name.removeprefix(META_PREFIX) for name in self._meta_names()}
        names += [name if own in taken else own for name, own in short.items()]
        names += [name for name in TIME_COLUMNS if TIME in self._group and name not in names]
        names += [f"{SPLIT_PREFIX}{name}" for name in self.split_schemes]
        single = (name for name in self.label_sets if self._open(f"{LABEL_PREFIX}{name}").ndim == 1)
        return (*names, *(f"{LABEL_PREFIX}{name}" for name in single))

    def column(self, name: str) -> NDArray[np.object_]:
        """One text a sample, to tell samples apart by.

        Args:
            name: ``group``, ``pair_id``, ``split_<scheme>``, ``label_<set>`` where a sample has one
                class; a ``meta_*`` column by its full or short name (``country``); ``season``
                (meteorological, of the sample's hemisphere), ``month`` or ``year`` of acquisition,
                where no ``meta_*`` column has that name.

        Returns:
            (N,) strings; '' where unknown. A season is ``DJF``, ``MAM``, ``JJA`` or ``SON`` where
            the latitude is unknown.

        Raises:
            UnknownNameError: No such column.
        """
        if name.startswith(META_PREFIX) and name in self._group:
            return as_text(self._array(name))
        short = name.removeprefix(META_PREFIX)
        known = _known(short, self.column_names, f"{self.path.name} has no such column")
        if known.startswith(LABEL_PREFIX):
            label_set = known.removeprefix(LABEL_PREFIX)
            return np.array([*self.classes(label_set), ""], dtype=object)[self.labels(label_set)]
        if known.startswith(SPLIT_PREFIX):
            return self.split(known.removeprefix(SPLIT_PREFIX))
        if known in (GROUP, PAIR_ID):
            return self._text(known)
        if f"{META_PREFIX}{known}" in self._group:
            return as_text(self._array(f"{META_PREFIX}{known}"))
        latitude = self._array(LONLAT)[:, 1] if LONLAT in self._group else None
        return TIME_COLUMNS[known](self._array(TIME), latitude)

    def label_set_name(self, label_set: str | None) -> str:
        """The label set named, or the default.

        Raises:
            StoreError: The store has no labels at all.
            UnknownNameError: No label set of this name.
        """
        if not self.label_sets:
            raise StoreError(
                str(self.path), "it holds no labels", "a label set", "Embed a labelled dataset."
            )
        return _known(label_set, self.label_sets, f"{self.path.name} has no such label set")

    def scheme_name(self, scheme: str | None) -> str:
        """The true name of the split scheme named, or of the default.

        ``random-0`` is another name of ``stratified-0``, ``block-1km-0`` or the like.

        Raises:
            StoreError: The store has no splits at all.
            UnknownNameError: No split scheme of this name.
        """
        if not self.split_schemes:
            raise StoreError(
                str(self.path), "it holds no splits", "a split scheme", "Embed the dataset again."
            )
        asked = self.split_schemes[0] if scheme is None else scheme
        true = self.scheme_aliases.get(asked, asked)
        known = true if true in self.split_schemes else asked
        return _known(known, self.split_schemes, f"{self.path.name} has no such split scheme")

    def usable(self, label_set: str | None = None) -> NDArray[np.bool_]:
        """(N,) whether a sample is valid, labelled and not excluded."""
        labels = self.labels(label_set)
        known = labels != UNKNOWN_LABEL
        is_labelled = known if labels.ndim == 1 else known.all(axis=1)
        return np.asarray(self.valid & (self.exclude == "") & is_labelled)

    def xy(
        self,
        split: str,
        *,
        features: str | None = None,
        labels: str | None = None,
        split_scheme: str | None = None,
        layer: int | None = None,
    ) -> tuple[NDArray[np.float32], Array]:
        """Features and labels of one split, for any scikit-learn estimator.

        Refused, excluded and unlabelled samples are left out.

        Args:
            split: ``train``, ``val``, ``test`` or ``unlabelled``.
            features: As in ``features``.
            labels: Label set; None takes the default.
            split_scheme: Split scheme; None takes the default.
            layer: Block index; None takes the last one stored.

        Returns:
            (n, D) float32 features and (n,) or (n, K) labels.

        Raises:
            UnknownNameError: A split, feature, label set, scheme or layer that is not there.
        """
        _known(split, SPLITS, "no split has this name")
        rows = self.usable(labels) & (self.split(split_scheme) == split)
        return self.features(features, layer=layer)[rows], self.labels(labels)[rows]

    def to_pandas(self) -> pd.DataFrame:
        """One row a sample: id, labels by name, splits, place, validity; no features."""
        import pandas as pd

        columns: dict[str, Any] = {SAMPLE_ID: self.ids}
        for name in self.label_sets:
            columns |= _label_columns(self, name)
        columns |= {f"{SPLIT_PREFIX}{name}": self.split(name) for name in self.split_schemes}
        for name in (GROUP, PAIR_ID, *self._meta_names()):
            if name in self._group:
                columns[name] = self._array(name)
        if LONLAT in self._group:
            columns["longitude"], columns["latitude"] = self._array(LONLAT).T
        if self.bbox is not None and self.crs is not None:
            corners = zip(("min_x", "min_y", "max_x", "max_y"), self.bbox.T, strict=True)
            columns |= {CRS: self.crs, **dict(corners)}
        if TIME in self._group:
            columns[TIME] = self._array(TIME).astype("datetime64[s]")
        columns |= {EXCLUDE: self.exclude, VALID: self.valid, REFUSED: self.refused}
        return pd.DataFrame(columns)

    def to_xarray(self) -> xr.Dataset:
        """The whole store as a lazy xarray dataset."""
        import xarray as xr

        dataset: xr.Dataset = xr.open_zarr(self.path)
        return dataset

    def show(self, ids: Iterable[str]) -> Picture:
        """A sheet of chips as a person expects to see them.

        Args:
            ids: Sample ids of this store.

        Raises:
            StoreError: The images are out of reach.
            UnknownNameError: An id that the store does not hold.
        """
        wanted = [_known(sample, self.ids.tolist(), "no such sample") for sample in ids]
        if self._show is None:
            raise StoreError(
                str(self.path),
                "nothing tells where its images are",
                "a store opened with featbank.open_store from the bank that made it",
                "Open it there.",
            )
        return self._show(self, wanted)

    def _meta_names(self) -> list[str]:
        return [name for name in self._group.array_keys() if name.startswith(META_PREFIX)]

    def layer_position(self, layer: int | None) -> int:
        """Position of a block on the layer axis; of None the last.

        Raises:
            UnknownNameError: A layer that the store does not hold.
        """
        if layer is None:
            return len(self.layers) - 1
        known = [str(index) for index in self.layers]
        return known.index(_known(str(layer), known, f"{self.path.name} holds no such layer"))

    def feature_array(self, name: str) -> zarr.Array[Any]:
        """One feature (N, L, D) as it stands on disk; nothing is read yet.

        Raises:
            UnknownNameError: A feature that the store does not hold.
        """
        known = _known(name, self.feature_names, f"{self.path.name} holds no such feature")
        return self._open(known)


def _known(name: str | None, known: Sequence[str], trouble: str) -> str:
    if name is None:
        return known[0]
    if name not in known:
        few = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        raise UnknownNameError(name, trouble, f"one of {few}", suggest(name, known))
    return name


def _at_layer(store: Store, name: str, position: int) -> Array:
    """(N, D) of one feature at a position of the layer axis."""
    array = store.feature_array(name)
    with reading(store.path, name):
        values = np.asarray(array[:, position])
    if values.ndim != 2 or values.dtype.kind != "f" or len(values) != len(store):
        raise damaged(store.path / name, f"holds {values.shape} of {values.dtype}")
    return values


def _label_columns(store: Store, name: str) -> dict[str, Any]:
    labels, classes = store.labels(name), np.array([*store.classes(name), ""])
    if labels.ndim == 1:
        return {f"{LABEL_PREFIX}{name}": classes[labels]}
    return {f"{LABEL_PREFIX}{name}:{c}": labels[:, k] for k, c in enumerate(classes[:-1])}
