"""Whether features of one store mean in another what they mean here: their embed recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.recipes.difference import difference, recipe_differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.recipes.difference import Difference

# What belongs to the images and to the file layout, and not to how a chip becomes a feature.
# Features and layers need not be the same, since only those in both are read.
_FREE = (
    "schema",
    "dataset.name",
    "dataset.samples",
    "dataset.fingerprint",
    "dataset.limit",
    "dataset.split_scheme",
    "input.normalise.source",
    "features",
    "layers",
    "layout.shard_rows",
    "layout.chunk_rows",
)
_NUMBERS = ("input.normalise.mean", "input.normalise.std")
# Methods whose numbers are each dataset's own, so that they differ wherever the images do.
_OWN_NUMBERS = ("dataset", "published")
# Free text of each dataset: it decides what the numbers mean, and no rule can compare it.
_TOLD = ("dataset.processing",)


@dataclass(frozen=True, kw_only=True)
class RecipeMatch:
    """How two embed recipes differ.

    Attributes:
        mismatches: What makes features of other meaning; refused unless allowed.
        notes: What differs by nature and is worth knowing, in words.
    """

    mismatches: tuple[Difference, ...]
    notes: tuple[str, ...]


def match_recipes(train: Mapping[str, Any], test: Mapping[str, Any]) -> RecipeMatch:
    """Sort the differences of two recipes into those of the images and those of the embedding.

    Must be the same: version of the algorithm, units, bands, adapter with its numbers, image size,
    resize, normalisation method, numbers of a fixed normalisation, model with its settings and
    weights, compute and storage dtype. May differ: dataset, images, selection, processing level
    and the numbers of a normalisation by each dataset's own statistics; the last two are noted.
    """
    if "concat" in train or "concat" in test:
        return _match_joined(train, test)
    found = recipe_differences(train, test)
    methods = [
        recipe.get("input", {}).get("normalise", {}).get("method") for recipe in (train, test)
    ]
    is_own = methods[0] == methods[1] and methods[0] in _OWN_NUMBERS
    allowed = {*_FREE, *_TOLD, *(_NUMBERS if is_own else ())}
    if train.get("model", {}).get("weights_sha256"):
        # A file is known by its hash; where it came from is only told.
        allowed.add("model.weights")
    notes = [f"{item.name}: {item.first} -> {item.second}" for item in found if item.field in _TOLD]
    if is_own and any(item.field in _NUMBERS for item in found):
        notes.append("each store is normalised with its own dataset's statistics")
    return RecipeMatch(
        mismatches=tuple(item for item in found if item.field not in allowed), notes=tuple(notes)
    )


def _match_joined(train: Mapping[str, Any], test: Mapping[str, Any]) -> RecipeMatch:
    """Match the recipes of joined stores one by one, in the order that they are joined."""
    ours, theirs = (recipe.get("concat", [recipe]) for recipe in (train, test))
    if len(ours) != len(theirs):
        return RecipeMatch(mismatches=(difference("concat", len(ours), len(theirs)),), notes=())
    matches = [match_recipes(*pair) for pair in zip(ours, theirs, strict=True)]
    return RecipeMatch(
        mismatches=tuple(item for match in matches for item in match.mismatches),
        notes=tuple(dict.fromkeys(note for match in matches for note in match.notes)),
    )
