"""The embed recipe: what is hashed into a store's identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.sources.digesting import fingerprint_of
from featbank.sources.filling import fill_recipe
from featbank.sources.precision import compute_dtype
from featbank.sources.selection import fingerprint
from featbank.sources.weights import RANDOM
from featbank.store.schema import MAX_CHUNK_ROWS

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.inputs.adapters import Adapted
    from featbank.inputs.preprocess import InputRecipe
    from featbank.sources.embed_options import EmbedOptions
    from featbank.sources.fitting import Imagery
    from featbank.sources.loaded_weights import Weights
    from featbank.stages.embed.agreement import ChannelPasses
    from featbank.store.schema import FeatureLayout

# Raised whenever the same recipe would give other bytes, so that old stores keep their meaning.
# 2: files are asked one by one what their pixels mean, missing ones are filled and counted, and
# weights files are looked into for the part that is meant.
ALGORITHM = 2


@dataclass(frozen=True, kw_only=True)
class RecipeParts:
    """What a recipe is made of.

    Attributes:
        options: As the user said.
        spec: The backbone's record.
        weights: Its weights.
        passes: Which channels go through the network together.
        imagery: The dataset as the run reads it.
        adapted: What the network is given in place of the bands.
        inputs: How pixels become input.
        layout: How features are stored.
    """

    options: EmbedOptions
    spec: BackboneSpec
    weights: Weights
    passes: ChannelPasses
    imagery: Imagery
    adapted: Adapted
    inputs: InputRecipe
    layout: FeatureLayout


def embed_recipe(parts: RecipeParts) -> dict[str, Any]:
    """Everything that decides a store's bytes; no path, device, worker count or time."""
    options, layout = parts.options, parts.layout
    return {
        "algorithm": ALGORITHM,
        "schema": layout.version,
        "dataset": _dataset(parts.imagery, options),
        "input": _input(parts),
        "model": _model(parts.spec, parts.weights, options),
        "features": [*layout.names, *(["mask"] if layout.has_mask else [])],
        "layers": list(layout.layers),
        "compute_dtype": compute_dtype(parts.spec, options),
        "store_dtype": layout.dtype,
        "layout": {
            "shard_rows": layout.shard_rows,
            "chunk_rows": min(MAX_CHUNK_ROWS, layout.shard_rows),
        },
    }


def _dataset(imagery: Imagery, options: EmbedOptions) -> dict[str, Any]:
    dataset = imagery.dataset
    recipe: dict[str, Any] = {
        "samples": len(dataset.samples),
        "fingerprint": fingerprint(dataset.samples),
        "fingerprint_of": fingerprint_of(dataset),
        "units": [band.unit for band in dataset.bands],
        "processing": dataset.processing,
    }
    if dataset.calibration:
        recipe["calibration"] = dataset.calibration
    if options.limit is not None:
        recipe |= {"limit": options.limit, "split_scheme": imagery.scheme}
    return recipe


def _input(parts: RecipeParts) -> dict[str, Any]:
    inputs, statistics = parts.inputs, parts.inputs.statistics
    return {
        "bands": list(inputs.bands),
        "adapter": _adapter(parts),
        "image_size": inputs.image_size,
        "resize": inputs.resize if inputs.image_size else "replicate",
        "normalise": {
            "method": statistics.method,
            "mean": list(statistics.mean),
            "std": list(statistics.std),
            "source": statistics.source,
        },
        "missing": {
            "fill": fill_recipe(inputs.fill or statistics.mean, statistics),
            "most": parts.imagery.contract.max_missing,
        },
    }


def _adapter(parts: RecipeParts) -> str | dict[str, Any]:
    adapted = parts.adapted
    if adapted.weights is None and not adapted.is_split:
        return adapted.name
    recipe: dict[str, Any] = {
        "name": adapted.name,
        "channels": [channel.name for channel in adapted.channels],
    }
    if adapted.weights is not None:
        recipe["weights"] = [list(row) for row in adapted.weights]
    if adapted.is_split:
        recipe["passes"] = [list(pick) for pick in parts.passes.picks]
    return recipe


def _model(spec: BackboneSpec, weights: Weights, options: EmbedOptions) -> dict[str, Any]:
    recipe: dict[str, Any] = {"name": spec.name, "config": dict(weights.config)}
    if weights.sha256:
        recipe["weights_sha256"] = weights.sha256
    if options.weights == RANDOM or spec.fit is not None:
        # A file is known by its hash alone; its name is no part of what was meant.
        recipe |= {"seed": options.seed, "weights": weights.origin}
    return recipe
