"""Names, dimensions and types of a store's arrays; the one place that spells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.samples import NO_TIME, SPLITS, UNKNOWN_LABEL, LabelSet, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array

# Raised when an array or attribute comes, goes or changes its meaning. A store of any version in
# READ_VERSIONS opens: what it lacks is absent, never guessed. A version that no longer opens leaves
# READ_VERSIONS and gets a line in MIGRATIONS, which names the command that makes it readable. A
# store of a higher version is refused by its number. tests/fixtures holds a bank of version 1.
# Version 2 has ``missing``, ``missing_band``, ``band``, ``digest``, ``bbox`` and ``crs``; version 3
# has ``mean_raw``, and a store without it is written as version 2: the version is part of the
# recipe, so that its id stays and an earlier release reads it.
SCHEMA_VERSION = 3
READ_VERSIONS = (1, 2, 3)
MIGRATIONS: dict[int, str] = {}

SAMPLE, LAYER, FEATURE = "sample", "layer", "feature"
TOKEN_Y, TOKEN_X, REGISTER = "token_y", "token_x", "register"

CLS, MEAN, MEAN_RAW = "cls", "mean", "mean_raw"
REGISTERS, TOKENS = "registers", "tokens"
FEATURE_NAMES = (CLS, MEAN, MEAN_RAW, REGISTERS, TOKENS)
TOKEN_NORM_WEIGHT, TOKEN_NORM_BIAS = "token_norm_weight", "token_norm_bias"

SAMPLE_ID, GROUP, PAIR_ID, LONLAT, EXCLUDE = "sample_id", "group", "pair_id", "lonlat", "exclude"
BBOX, CRS, BOUNDS = "bbox", "crs", "bounds"
TIME, MASK, MASK_Y, MASK_X = "time", "mask", "mask_y", "mask_x"
DIGEST = "digest"
VALID, REFUSED, COMMIT = "valid", "refused", "commit"
MISSING, MISSING_BAND, BAND = "missing", "missing_band", "band"
LABEL_PREFIX, CLASS_PREFIX, SPLIT_PREFIX, META_PREFIX = "label_", "class_", "split_", "meta_"

MASK_DTYPE = np.dtype("int16")

# 4,096 rows keep a shard of a 768-wide float32 feature at 12 MB; 256 MB bounds the writer's
# memory where patch tokens are kept; 1,024 rows is the inner chunk that reads fastest (README,
# "How the store is laid out").
MAX_SHARD_ROWS = 4096
MAX_SHARD_BYTES = 256 * 2**20
MAX_CHUNK_ROWS = 1024


_FIXED_DTYPES = {TOKENS: "float16", MEAN_RAW: "float32"}


@dataclass(frozen=True, kw_only=True)
class FeatureLayout:
    """What one backbone gives one sample, and how it is stored.

    Attributes:
        names: Names among ``FEATURE_NAMES``.
        dim: D.
        layers: Block indices, in the order of the layer axis.
        dtype: ``float32`` or ``float16``; tokens are always float16, ``mean_raw`` float32, since
            what no norm has scaled may pass the largest float16.
        token_grid: (gy, gx); (0, 0) for backbones without tokens.
        registers: Number of register tokens.
        shard_rows: Rows of a shard; a power of two.
        mask_px: (H, W) of label maps; (0, 0) where none are kept.
        bands: Names of the bands that the features are made of.
    """

    names: tuple[str, ...]
    dim: int
    layers: tuple[int, ...]
    dtype: str = "float32"
    token_grid: tuple[int, int] = (0, 0)
    registers: int = 0
    shard_rows: int = MAX_SHARD_ROWS
    mask_px: tuple[int, int] = (0, 0)
    bands: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """The lowest schema version that has all these arrays, of those still written."""
        return SCHEMA_VERSION if MEAN_RAW in self.names else 2

    @property
    def written(self) -> tuple[str, ...]:
        """Arrays that the embed pass writes, shard by shard."""
        mask = (MASK,) if self.has_mask else ()
        return (*self.names, *mask, *self.missing_shapes, VALID, REFUSED)

    @property
    def missing_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of one sample's shares of missing pixels, by array."""
        return {MISSING: (), MISSING_BAND: (len(self.bands),)} if self.bands else {MISSING: ()}

    @property
    def has_mask(self) -> bool:
        """Whether label maps are kept."""
        return self.mask_px != (0, 0)

    def row_shape(self, name: str) -> tuple[int, ...]:
        """Shape of one sample's feature ``name``."""
        inner = {REGISTERS: (self.registers,), TOKENS: self.token_grid}.get(name, ())
        return (len(self.layers), *inner, self.dim)

    def row_dtype(self, name: str) -> np.dtype[Any]:
        """Storage dtype of feature ``name``."""
        return np.dtype(_FIXED_DTYPES.get(name, self.dtype))

    def row_bytes(self, name: str) -> int:
        """Bytes of one sample's feature ``name``."""
        return int(np.prod(self.row_shape(name))) * self.row_dtype(name).itemsize


def fitting_shard_rows(layout: FeatureLayout) -> int:
    """The largest power of two ≤ 4,096 for which every array's shard is ≤ 256 MB."""
    mask_bytes = int(np.prod(layout.mask_px)) * MASK_DTYPE.itemsize
    widest = max(mask_bytes, *(layout.row_bytes(name) for name in layout.names))
    rows = MAX_SHARD_ROWS
    while rows > 1 and rows * widest > MAX_SHARD_BYTES:
        rows //= 2
    return rows


@dataclass(frozen=True, kw_only=True)
class ArraySpec:
    """One array as it is created.

    Attributes:
        name: Name in the group.
        dims: Dimension names.
        shape: Whole shape.
        dtype: NumPy dtype, or ``str`` for variable-length strings.
        fill: Fill value.
        rows: Rows of a shard; 0 for arrays that are not sharded.
        chunk: Rows of an inner chunk.
        attributes: Zarr attributes.
        data: Contents, for arrays that are written at creation.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: Any
    fill: Any
    rows: int = MAX_SHARD_ROWS
    chunk: int = MAX_CHUNK_ROWS
    attributes: dict[str, Any] = field(default_factory=dict)
    data: Array | None = None


def embed_arrays(n: int, layout: FeatureLayout) -> Iterator[ArraySpec]:
    """Arrays that the embed pass writes shard by shard; all share one row count."""
    rows, chunk = layout.shard_rows, min(MAX_CHUNK_ROWS, layout.shard_rows)
    for name in layout.names:
        yield ArraySpec(
            name=name,
            dims=(SAMPLE, *_feature_dims(name)),
            shape=(n, *layout.row_shape(name)),
            dtype=layout.row_dtype(name),
            fill=float("nan"),
            rows=rows,
            chunk=chunk,
        )
    if layout.has_mask:
        yield ArraySpec(
            name=MASK,
            dims=(SAMPLE, MASK_Y, MASK_X),
            shape=(n, *layout.mask_px),
            dtype=MASK_DTYPE,
            fill=UNKNOWN_LABEL,
            rows=rows,
            chunk=chunk,
        )
    for name, shape in layout.missing_shapes.items():
        yield ArraySpec(
            name=name,
            dims=(SAMPLE, BAND)[: 1 + len(shape)],
            shape=(n, *shape),
            dtype=np.dtype("float32"),
            fill=float("nan"),
            rows=rows,
            chunk=chunk,
            attributes={"long_name": _MISSING_WORDS[name], "units": "1"},
        )
    yield _row_flag(VALID, np.dtype(bool), n, layout)
    yield _row_flag(REFUSED, str, n, layout)
    shards = -(-n // rows)
    yield ArraySpec(
        name=COMMIT, dims=("shard",), shape=(shards,), dtype=str, fill="", rows=0, chunk=1
    )


_MISSING_WORDS = {
    MISSING: "share of pixels that are missing in any band that the features are made of",
    MISSING_BAND: "share of each band's pixels that are missing",
}


def _row_flag(
    name: str, dtype: np.dtype[Any] | type[str], n: int, layout: FeatureLayout
) -> ArraySpec:
    return ArraySpec(
        name=name,
        dims=(SAMPLE,),
        shape=(n,),
        dtype=dtype,
        fill="" if dtype is str else False,
        rows=layout.shard_rows,
        chunk=min(MAX_CHUNK_ROWS, layout.shard_rows),
    )


def _feature_dims(name: str) -> tuple[str, ...]:
    inner = {REGISTERS: (REGISTER,), TOKENS: (TOKEN_Y, TOKEN_X)}.get(name, ())
    return (LAYER, *inner, FEATURE)


def sample_arrays(samples: Samples, layers: tuple[int, ...]) -> Iterator[ArraySpec]:
    """Arrays that are written when the store is created."""
    yield _column(SAMPLE_ID, samples.ids)
    if samples.digests is not None:
        yield _column(DIGEST, samples.digests)
    yield ArraySpec(
        name=LAYER,
        dims=(LAYER,),
        shape=(len(layers),),
        dtype=np.dtype("int32"),
        fill=0,
        data=np.array(layers, dtype=np.int32),
        attributes={"long_name": "index of the block that the feature was taken after"},
    )
    for name, label_set in samples.labels.items():
        yield from _label_arrays(name, label_set)
    for name, split in samples.splits.items():
        yield _split_array(name, split)
    yield from _optional_columns(samples)


def _optional_columns(samples: Samples) -> Iterator[ArraySpec]:
    columns = {GROUP: samples.group, PAIR_ID: samples.pair_id, EXCLUDE: samples.exclude}
    columns |= {CRS: samples.crs}
    columns |= {f"{META_PREFIX}{name}": values for name, values in samples.meta.items()}
    for name, values in columns.items():
        if values is not None:
            yield _column(name, values)
    yield from _place_arrays(samples)
    if samples.time is not None:
        yield ArraySpec(
            name=TIME,
            dims=(SAMPLE,),
            shape=samples.time.shape,
            dtype=np.dtype("int64"),
            fill=NO_TIME,
            data=samples.time,
            attributes={
                "units": "seconds since 1970-01-01",
                "calendar": "proleptic_gregorian",
                "long_name": "acquisition time, UTC",
            },
        )


def _place_arrays(samples: Samples) -> Iterator[ArraySpec]:
    if samples.lonlat is not None:
        yield ArraySpec(
            name=LONLAT,
            dims=(SAMPLE, LONLAT),
            shape=samples.lonlat.shape,
            dtype=np.dtype("float64"),
            fill=float("nan"),
            data=samples.lonlat,
            attributes={"units": "degrees", "long_name": "longitude and latitude, WGS 84"},
        )
    if samples.bbox is not None:
        yield ArraySpec(
            name=BBOX,
            dims=(SAMPLE, BOUNDS),
            shape=samples.bbox.shape,
            dtype=np.dtype("float64"),
            fill=float("nan"),
            data=samples.bbox,
            attributes={"long_name": "min x, min y, max x, max y in the unit of crs"},
        )


def _column(name: str, values: Array) -> ArraySpec:
    is_text = values.dtype.kind in "OUT"
    return ArraySpec(
        name=name,
        dims=(SAMPLE,),
        shape=(len(values),),
        dtype=str if is_text else values.dtype,
        fill="" if is_text else values.dtype.type(0),
        data=values,
    )


def _label_arrays(name: str, label_set: LabelSet) -> Iterator[ArraySpec]:
    classes = f"{CLASS_PREFIX}{name}"
    dtype = np.dtype("int8" if label_set.is_multilabel else "int32")
    yield ArraySpec(
        name=f"{LABEL_PREFIX}{name}",
        dims=(SAMPLE, classes) if label_set.is_multilabel else (SAMPLE,),
        shape=label_set.codes.shape,
        dtype=dtype,
        fill=UNKNOWN_LABEL,
        data=label_set.codes.astype(dtype),
    )
    yield class_array(name, label_set.classes)


def class_array(name: str, classes: tuple[str, ...]) -> ArraySpec:
    """Class names of a label set or of the label maps."""
    names = np.array(classes, dtype=object)
    array = f"{CLASS_PREFIX}{name}"
    return ArraySpec(name=array, dims=(array,), shape=names.shape, dtype=str, fill="", data=names)


def _split_array(name: str, split: Array) -> ArraySpec:
    return ArraySpec(
        name=f"{SPLIT_PREFIX}{name}",
        dims=(SAMPLE,),
        shape=split.shape,
        dtype=np.dtype("int8"),
        fill=SPLITS.index("unlabelled"),
        data=split,
        attributes={
            "flag_values": list(range(len(SPLITS))),
            "flag_meanings": " ".join(SPLITS),
        },
    )
