"""Following an embed recipe on other images: its numbers instead of fitted ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.backbones import BACKBONES
from featbank.backbones.answers import HEADS, PART, POSITIONS, RESHAPE
from featbank.downloads.hub import hub_folder
from featbank.errors import MissingPathError, WeightsError
from featbank.inputs.adapters import ADAPTERS, Moments
from featbank.inputs.normalise import Statistics
from featbank.recipes.recipe import UNTRAINED
from featbank.sources.embed_options import EXTRA_FEATURES, EmbedOptions, Followed
from featbank.sources.loaded_weights import HUB_PREFIX
from featbank.sources.local_files import weights_folder
from featbank.sources.opening import dataset_spec
from featbank.sources.units import unit_of
from featbank.sources.weights import RANDOM, is_hub_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.datasets import Dataset
    from featbank.inputs.adapters import Adapted
    from featbank.inputs.adapters.adapter import AdapterSpec
    from featbank.sources.loaded_weights import Weights

_HASH_DIGITS = 12
# The config that DINOv2's ``--positions transformers`` leaves in a recipe.
_TRANSFORMERS = "plain"


def following(follow: Followed, *, dataset: str, **more: Any) -> EmbedOptions:  # noqa: ANN401
    """Options that embed a dataset as a recipe says; patch and register tokens are left out.

    Args:
        follow: The recipe and what was fitted for it.
        dataset: Catalog name, or path of a folder.
        **more: Options that are no part of the recipe: ``bank``, ``device``, ``weights``, ….
    """
    recipe = follow.recipe
    inputs, layout = recipe["input"], recipe["layout"]
    adapter = inputs["adapter"]
    name = adapter["name"] if isinstance(adapter, dict) else adapter
    is_plain = not {"tokens", "registers"} & set(recipe["features"])
    settings: dict[str, Any] = {
        "model": recipe["model"]["name"],
        "dataset": dataset,
        "adapt": name,
        "bands": "all" if ADAPTERS[name].bands else ",".join(inputs["bands"]),
        "normalise": inputs["normalise"]["method"],
        "image_size": inputs["image_size"],
        "layers": tuple(recipe["layers"]),
        "features": tuple(name for name in EXTRA_FEATURES if name in recipe["features"]),
        "dtype": recipe["compute_dtype"],
        "store_dtype": recipe["store_dtype"],
        # Tokens make shards shorter than pooled features alone need them.
        "shard_rows": layout["shard_rows"] if is_plain else None,
        "seed": recipe["model"].get("seed", 0),
        "follow": follow,
        "max_missing": inputs.get("missing", {}).get("most", EmbedOptions.max_missing),
    }
    settings |= {"unit": _unit(recipe)} if dataset_spec(dataset).name == "folder" else {}
    settings |= {"resize": inputs["resize"]} if inputs["image_size"] else {}
    return EmbedOptions(**settings | _answers(follow) | more)


def _unit(recipe: Mapping[str, Any]) -> str | None:
    told = recipe["dataset"]
    return unit_of(list(told["units"]), told.get("calibration", ""))


def is_untrained(follow: Followed) -> bool:
    """Whether the recipe's weights are random ones."""
    return str(follow.recipe["model"].get("weights", "")).startswith(UNTRAINED)


def _answers(follow: Followed) -> dict[str, Any]:
    """What the user once said about the weights, told again from the config it led to."""
    config = follow.recipe["model"]["config"]
    waves = config.get("wavelengths_um")
    found: dict[str, Any] = {} if waves is None else {"wavelengths": tuple(waves)}
    if is_untrained(follow):
        return found | {"weights": RANDOM}
    name = follow.recipe["model"]["name"]
    if name not in BACKBONES and not name.startswith(HUB_PREFIX):
        # A checkpoint's record tells all.
        return found
    kept = [name for name in (PART.name, RESHAPE.name) if name in config]
    # Of a folder its settings tell the heads; there is no part then.
    kept += [HEADS.name] if PART.name in config else []
    answers = {name: config[name] for name in kept}
    if config.get(POSITIONS.name) == _TRANSFORMERS:
        answers[POSITIONS.name] = "transformers"
    return found | ({"answers": answers} if answers else {})


def followed_channels(spec: AdapterSpec, dataset: Dataset, follow: Followed) -> Adapted:
    """The channels that an adapter made for a recipe, its sums of bands included.

    Raises:
        ContractError: The adapter does not suit the bands.
    """
    count = len(dataset.bands)
    # Any moments give the channels; the weights that they lead to are replaced.
    stand_in = Moments(mean=np.zeros(count), covariance=np.eye(count))
    adapted = spec.adapt(dataset.bands, stand_in if spec.needs_moments else None, dataset.name)
    kept = follow.recipe["input"]["adapter"]
    if not isinstance(kept, dict) or "weights" not in kept:
        return adapted
    return replace(adapted, weights=tuple(tuple(row) for row in kept["weights"]))


def followed_statistics(follow: Followed) -> Statistics:
    """The numbers that normalise the channels of a recipe."""
    numbers: Mapping[str, Any] = follow.recipe["input"]["normalise"]
    return Statistics(
        method=numbers["method"],
        mean=tuple(numbers["mean"]),
        std=tuple(numbers["std"]),
        source=numbers["source"],
    )


def require_followed_weights(follow: Followed | None, weights: Weights) -> None:
    """Refuse other weights than those of the recipe that is followed, before images are read.

    Raises:
        WeightsError: Names both files and their hashes.
    """
    wanted = "" if follow is None else follow.recipe["model"].get("weights_sha256", "")
    # A state that is fitted, not read, has no hash before it is put in.
    if follow is None or not weights.sha256 or weights.sha256 == wanted:
        return
    raise WeightsError(
        weights.origin,
        f"its sha256 is {weights.sha256[:_HASH_DIGITS]}…",
        f"{follow.weights} of sha256 {wanted[:_HASH_DIGITS] or '(none)'}…",
        "Name that file with --weights.",
    )


def followed_weights(
    follow: Followed, *, weights: str | None, may_download: bool = False
) -> dict[str, Any]:
    """Options that name the weights of a recipe.

    Args:
        follow: The recipe.
        weights: ``--weights``; None takes the file of the recipe's name where weights are kept.
        may_download: Whether the hub may be asked.

    Raises:
        MissingPathError: They are not on this machine.
    """
    model = follow.recipe["model"]
    name, sha256 = model["name"], model.get("weights_sha256", "")
    if name.startswith(HUB_PREFIX) and weights is not None:
        return {"model": f"{HUB_PREFIX}{weights}"}
    if name not in BACKBONES and not name.startswith(HUB_PREFIX):
        # A checkpoint: the bank knows it by name, or the user tells where it is.
        return {} if weights is None else {"model": weights}
    if weights is not None:
        return {"weights": weights}
    is_hub = name.startswith(HUB_PREFIX)
    if is_untrained(follow) or not (is_hub or BACKBONES[name].takes_weights):
        return {}
    kept = weights_folder() / follow.weights
    if not is_hub and follow.weights and kept.exists():
        return {"weights": str(kept)}
    if is_hub_id(follow.weights):
        # The hub is asked only where the user says --download.
        folder = hub_folder(follow.weights, may_download=may_download)
        return {} if is_hub else {"weights": str(folder)}
    if not is_hub and BACKBONES[name].remote is not None:
        return {}
    raise MissingPathError(
        f"weights of {name}",
        f"{follow.weights} (sha256 {sha256[:_HASH_DIGITS]}…), which the probe's store was embedded "
        f"with, is not in {weights_folder()}",
        "to be told where it is",
        "Pass its path with --weights.",
    )
