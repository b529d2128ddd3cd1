"""Creating a store: all but the features, in a hidden folder that is renamed when complete."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from featbank.disk import naming
from featbank.recipes.recipe import lines_sha256
from featbank.store.arrays import content_sha256, create_array
from featbank.store.schema import (
    BAND,
    EXCLUDE,
    FEATURE,
    MASK,
    SAMPLE_ID,
    TOKEN_NORM_BIAS,
    TOKEN_NORM_WEIGHT,
    TOKENS,
    ArraySpec,
    FeatureLayout,
    class_array,
    embed_arrays,
    sample_arrays,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from featbank.image import Array
    from featbank.samples import Samples


@dataclass(frozen=True, kw_only=True)
class NewStore:
    """What a store is created from.

    Attributes:
        samples: The rows.
        layout: The features.
        attributes: Group attributes: recipe, origins, licences, statistics, command.
        mask_classes: Class names of the label maps; empty where none are kept.
        token_norm: (D,) weight and (D,) bias of the norm that readers apply to tokens.
    """

    samples: Samples
    layout: FeatureLayout
    attributes: Mapping[str, Any]
    mask_classes: tuple[str, ...] = ()
    token_norm: tuple[Array, Array] | None = None


def create_store(path: Path, new: NewStore) -> None:
    """Create a store with no shard committed.

    The store appears under its own name only when all its arrays stand, so that an interrupted
    creation leaves nothing that looks like a store.
    """
    with naming(path):
        _create(path, path.with_name(f".{path.name}.creating"), new)


def _create(path: Path, hidden: Path, new: NewStore) -> None:
    if hidden.is_symlink():
        # Zarr would write through it into whatever it leads to.
        hidden.unlink()
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.parent.mkdir(parents=True, exist_ok=True)
    group = zarr.open_group(hidden, mode="w", zarr_format=3)
    for spec in _arrays(new):
        create_array(group, spec)
    group.attrs.update(
        {
            "schema_version": new.layout.version,
            **new.attributes,
            "labels_sha256": labels_sha256(new.samples),
        }
    )
    os.rename(hidden, path)


def _arrays(new: NewStore) -> Iterator[ArraySpec]:
    yield from embed_arrays(len(new.samples), new.layout)
    yield from sample_arrays(new.samples, new.layout.layers)
    if new.layout.has_mask:
        yield class_array(MASK, new.mask_classes)
    if new.layout.bands:
        names = np.array(new.layout.bands, dtype=object)
        yield ArraySpec(name=BAND, dims=(BAND,), shape=names.shape, dtype=str, fill="", data=names)
    if TOKENS in new.layout.names and new.token_norm is not None:
        for name, values in zip((TOKEN_NORM_WEIGHT, TOKEN_NORM_BIAS), new.token_norm, strict=True):
            yield ArraySpec(
                name=name,
                dims=(FEATURE,),
                shape=values.shape,
                dtype=np.dtype("float32"),
                fill=float("nan"),
                data=values,
                attributes={"long_name": "affine part of the norm that readers apply to tokens"},
            )


def labels_sha256(samples: Samples) -> str:
    """Version of labels, splits, groups and excludes: their own hash, no part of the recipe."""
    lines = [f"{SAMPLE_ID} {content_sha256(samples.ids)}"]
    for name, label_set in samples.labels.items():
        lines.append(
            f"label {name} {','.join(label_set.classes)} {content_sha256(label_set.codes)}"
        )
    # A scheme of two names is hashed once, under the name that older stores know it by.
    twice = set(samples.aliases.values())
    lines += [
        f"split {name} {content_sha256(codes)}"
        for name, codes in samples.splits.items()
        if name not in twice
    ]
    if samples.group is not None:
        lines.append(f"group {content_sha256(samples.group)}")
    if samples.exclude is not None:
        lines.append(f"{EXCLUDE} {content_sha256(samples.exclude)}")
    return lines_sha256(lines)
