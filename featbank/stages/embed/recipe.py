"""The embed recipe: what is hashed into a store's identity, and the attributes told from it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.backbones.answers import PART
from featbank.datasets import DATASETS
from featbank.features.same_images import same_images
from featbank.inputs.adapters import ADAPTERS
from featbank.inputs.checks import Contract
from featbank.recipes.recipe import recipe_id
from featbank.sources.digesting import fingerprint_of
from featbank.sources.filling import fill_recipe
from featbank.sources.precision import compute_dtype
from featbank.sources.selection import fingerprint
from featbank.sources.weights import HUB_PREFIX, RANDOM, answer_words, answers_of
from featbank.store.schema import MAX_CHUNK_ROWS, MEAN_RAW

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.inputs.adapters import Adapted
    from featbank.inputs.preprocess import InputRecipe
    from featbank.sources.embed_options import EmbedOptions
    from featbank.sources.fitting import Imagery
    from featbank.sources.weights import Weights
    from featbank.stages.embed.agreement import ChannelPasses
    from featbank.stages.embed.plan import EmbedPlan
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


def attributes(plan: EmbedPlan) -> dict[str, Any]:
    """Attributes of a store's group: the recipe, and what a reader wants to know beside it."""
    dataset = plan.imagery.dataset
    return {
        "recipe": plan.recipe,
        "recipe_id": recipe_id(plan.recipe),
        "model": plan.spec.name,
        "default_feature": plan.spec.default_feature,
        "weights": plan.weights.origin,
        "weights_licence": plan.spec.licence,
        "notes": list(plan.notes),
        "duplicates": None if plan.duplicates is None else plan.duplicates.as_attributes(),
        "splits_from": dataset.splits_from,
        "dataset": dataset.name,
        "dataset_names": [dataset.name],
        "dataset_licence": dataset.licence,
        "dataset_citation": dataset.citation,
        "statistics_source": plan.inputs.statistics.source,
        "fitted_scheme": fitted_scheme(plan),
        "label_sets": list(dataset.samples.labels),
        "split_schemes": list(dataset.samples.splits),
        "scheme_aliases": dict(dataset.samples.aliases),
        "split_notes": dict(dataset.samples.split_notes),
        "bands": [_band(band.name, plan) for band in dataset.bands],
        "command": command(plan),
        **_pretraining(plan),
    }


def _pretraining(plan: EmbedPlan) -> dict[str, Any]:
    """What the checkpoint that embeds was trained on; empty for other backbones."""
    trained = plan.weights.trained
    if trained is None:
        return {}
    known = {"checkpoint": trained.name, "recipe_id": trained.recipe_id, "steps": trained.steps}
    return {"pretraining": {**known, "saw": [dict(each) for each in trained.saw]}}


def fitted_scheme(plan: EmbedPlan) -> str:
    """Split scheme whose train split something was fitted on; empty where nothing was."""
    follow = plan.options.follow
    if follow is not None:
        # Of other images the scheme's name says nothing.
        return follow.fitted_scheme if same_images(plan.recipe, follow.recipe) else ""
    is_fitted = plan.inputs.statistics.method == "dataset" or plan.spec.fit is not None
    is_fitted = is_fitted or ADAPTERS[plan.adapted.name].needs_moments
    return plan.imagery.scheme if is_fitted else ""


def _band(name: str, plan: EmbedPlan) -> dict[str, Any]:
    band = next(band for band in plan.imagery.dataset.bands if band.name == name)
    return {"name": band.name, "wavelength_um": band.wavelength_um, "unit": band.unit}


def command(plan: EmbedPlan) -> str:
    """The command that makes the store, rebuilt from its recipe: no path of this machine."""
    options, recipe = plan.options, plan.recipe
    if options.follow is not None:
        return options.follow.command
    name = plan.imagery.dataset.name
    # Where a folder stood on one machine says nothing on another.
    dataset = name if name in DATASETS else f"path/to/{name}"
    words = ["featbank", "embed", "--model", plan.spec.name, "--dataset", dataset]
    is_whole = plan.spec.name.startswith(HUB_PREFIX) or plan.weights.trained is not None
    if options.weights is not None and not is_whole:
        words += ["--weights", plan.weights.origin if plan.weights.sha256 else RANDOM]
    words += ["--splits", "path/to/lists"] if options.splits is not None else []
    words += ["--unit", options.unit] if options.unit is not None else []
    words += ["--bands", ",".join(plan.inputs.bands)]
    words += ["--adapt", plan.adapted.name] if plan.adapted.name != "none" else []
    words += _model_words(plan)
    words += ["--normalise", plan.inputs.statistics.method]
    if plan.inputs.image_size is not None:
        words += ["--image-size", str(plan.inputs.image_size), "--resize", plan.inputs.resize]
    words += ["--layers", ",".join(map(str, plan.layout.layers))]
    words += [f"--{name}" for name in ("tokens", "registers") if name in plan.layout.names]
    words += ["--features", MEAN_RAW] if MEAN_RAW in plan.layout.names else []
    words += ["--dtype", recipe["compute_dtype"], "--store-dtype", plan.layout.dtype]
    words += ["--shard-rows", str(plan.layout.shard_rows)]
    most = recipe["input"]["missing"]["most"]
    words += ["--max-missing", f"{most:g}"] if most != Contract.max_missing else []
    words += ["--limit", str(options.limit)] if options.limit is not None else []
    words += ["--chips", str(options.chips)] if options.chips is not None else []
    words += ["--split-scheme", plan.imagery.scheme] if fitted_scheme(plan) else []
    words += ["--seed", str(options.seed)] if "seed" in recipe["model"] else []
    return shlex.join(words)


def _model_words(plan: EmbedPlan) -> list[str]:
    options, words = plan.options, []
    if options.wavelengths is not None:
        waves = plan.weights.config["wavelengths_um"]
        words += ["--wavelengths", ",".join(f"{wave:.9g}" for wave in waves)]
    return words + settled_answer_words(plan)


def settled_answer_words(plan: EmbedPlan) -> list[str]:
    """The user's answers as words of a command, as they were settled: a part by its whole name."""
    answers = dict(answers_of(plan.spec, plan.options))
    if PART.name in answers:
        answers[PART.name] = plan.weights.config[PART.name]
    return answer_words(answers)
