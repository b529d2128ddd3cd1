"""Whether features of two recipes mean the same: what each use asks, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.errors import StoreError
from featbank.recipes.difference import ABSENT, difference, recipe_differences

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
    "dataset.fingerprint_of",
    "dataset.limit",
    "dataset.split_scheme",
    # Free text of each dataset: it decides what the numbers mean, and no rule can compare it.
    "dataset.processing",
    "input.normalise.source",
    "features",
    "layers",
    "layout.shard_rows",
    "layout.chunk_rows",
)
_HASH = "model.weights_sha256"
# A state is known by its hash; how it came to be is only told.
_KNOWN_BY_HASH = ("model.weights", "model.seed")
_NUMBERS = ("input.normalise.mean", "input.normalise.std")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What may differ, beyond what belongs to the images.

    Attributes:
        own_numbers: Normalisation methods whose numbers are each dataset's own, so that they
            differ wherever the images do.
        told: Fields whose difference is worth a note.
    """

    own_numbers: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


# A saved probe meets one image after another as it was fitted, numbers of normalisation included.
PREDICT = Rules()
# A probe fitted on one store and scored on another: each store stands for its own dataset.
TRANSFER = Rules(own_numbers=("dataset", "published"), told=("dataset.processing",))


@dataclass(frozen=True, kw_only=True)
class RecipeMatch:
    """How two embed recipes differ.

    Attributes:
        mismatches: What makes features of other meaning; refused unless allowed.
        notes: What differs by nature and is worth knowing, in words.
    """

    mismatches: tuple[Difference, ...]
    notes: tuple[str, ...]


def match_recipes(first: Mapping[str, Any], second: Mapping[str, Any], rules: Rules) -> RecipeMatch:
    """Sort the differences of two recipes into those of the images and those of the embedding.

    Must be the same: version of the algorithm, units, bands, adapter with its numbers, image size,
    resize, normalisation, model with its settings and weights, compute and storage dtype. May
    differ: dataset, images, selection, processing level, and what the rules add.

    Args:
        first: Recipe that a probe was fitted on, of one store or of several joined.
        second: Recipe of what it meets.
        rules: ``PREDICT`` or ``TRANSFER``.
    """
    if "concat" in first or "concat" in second:
        return _match_joined(first, second, rules)
    found = recipe_differences(first, second)
    is_own = _normalised_by_own_numbers(first, second, rules)
    free = {*_FREE, *(_NUMBERS if is_own else ()), *_of_known_states(first, second)}
    notes = [f"{d.name}: {d.first} -> {d.second}" for d in found if d.field in rules.told]
    if is_own and any(d.field in _NUMBERS for d in found):
        notes.append("each store is normalised with its own dataset's statistics")
    return RecipeMatch(
        mismatches=tuple(d for d in found if d.field not in free), notes=tuple(notes)
    )


def require_same_embedding(
    kept: Mapping[str, Any], found: Mapping[str, Any], *, subject: str, remedy: str
) -> None:
    """Refuse features of another recipe.

    Args:
        kept: Recipe of the store that a probe was fitted on.
        found: Recipe of what it is to be applied to.
        subject: What is to be predicted.
        remedy: What to do, as a sentence.

    Raises:
        StoreError: Names every field that differs.
    """
    mismatches = match_recipes(kept, found, PREDICT).mismatches
    # No choice of images or options mends another version.
    is_older = kept.get("algorithm") != found.get("algorithm")
    again = " (embed the probe's own images again with this featbank, and save it anew)"
    if mismatches:
        raise StoreError(
            subject,
            f"is embedded in another way: {'; '.join(map(_told, mismatches))}",
            f"what the probe was fitted on, in all but the images{again if is_older else ''}",
            remedy,
        )


def _match_joined(first: Mapping[str, Any], second: Mapping[str, Any], rules: Rules) -> RecipeMatch:
    """Match the recipes of joined stores one by one, in the order that they are joined."""
    ours, theirs = (recipe.get("concat", [recipe]) for recipe in (first, second))
    if len(ours) != len(theirs):
        return RecipeMatch(mismatches=(difference("concat", len(ours), len(theirs)),), notes=())
    matches = [match_recipes(*pair, rules) for pair in zip(ours, theirs, strict=True)]
    return RecipeMatch(
        mismatches=tuple(item for match in matches for item in match.mismatches),
        notes=tuple(dict.fromkeys(note for match in matches for note in match.notes)),
    )


def _normalised_by_own_numbers(
    first: Mapping[str, Any], second: Mapping[str, Any], rules: Rules
) -> bool:
    methods = [r.get("input", {}).get("normalise", {}).get("method") for r in (first, second)]
    return methods[0] == methods[1] and methods[0] in rules.own_numbers


def _of_known_states(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, ...]:
    field = _HASH.removeprefix("model.")
    hashes = [recipe.get("model", {}).get(field) for recipe in (first, second)]
    return _KNOWN_BY_HASH if all(hashes) else ()


def _told(item: Difference) -> str:
    first, second = ("none" if text == ABSENT else text for text in (item.first, item.second))
    return f"{item.name} {second} instead of {first}"
