"""What a store tells of itself beside its recipe, and the command that makes it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from featbank.backbones.answers import PART
from featbank.datasets import DATASETS
from featbank.features.same_images import same_images
from featbank.inputs.adapters import ADAPTERS
from featbank.inputs.contract import Contract
from featbank.recipes.recipe import recipe_id
from featbank.sources.loaded_weights import HUB_PREFIX
from featbank.sources.weights import RANDOM, answer_words, answers_of
from featbank.store.schema import MEAN_RAW

if TYPE_CHECKING:
    from featbank.stages.embed.plan import EmbedPlan


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
