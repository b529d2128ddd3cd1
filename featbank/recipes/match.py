"""Whether two stores were embedded in the same way: their recipes, all but the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What belongs to the images, or to the file's layout, and not to how a chip becomes a feature.
# Which features and layers a store holds is asked where they are read.
_FREE = {
    "schema",
    "dataset.name",
    "dataset.samples",
    "dataset.fingerprint",
    "dataset.fingerprint_of",
    "dataset.limit",
    "dataset.split_scheme",
    # Free text; units, bands and numbers are what a rule can compare.
    "dataset.processing",
    "input.normalise.source",
    "features",
    "layers",
    "layout.shard_rows",
    "layout.chunk_rows",
}
_WORDS = {
    "algorithm": "version of the embedding algorithm",
    "dataset.units": "units of the bands",
    "dataset.calibration": "calibration of the backscatter",
    "input.bands": "bands",
    "input.adapter": "adapter",
    "input.image_size": "image size",
    "input.resize": "resize",
    "input.normalise.method": "normalisation",
    "input.normalise.mean": "mean subtracted",
    "input.missing.fill": "value of missing pixels",
    "input.missing.most": "largest share of missing pixels",
    "input.normalise.std": "standard deviation divided by",
    "model.name": "model",
    "model.weights_sha256": "weights",
    "model.weights": "origin of the weights",
    "model.seed": "seed of the weights",
    "compute_dtype": "compute dtype",
    "store_dtype": "storage dtype",
}
_SHOWN = 4
_HASH_DIGITS = 8


def recipe_mismatches(kept: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes features of one recipe mean something else than those of another.

    Args:
        kept: The recipe to be matched.
        found: The recipe that should match it.

    Returns:
        Each differing field in words, with what it is and what it should be.
    """
    ours, theirs = dict(_flat(kept)), dict(_flat(found))
    free = set(_FREE)
    if ours.get("model.weights_sha256") and "model.weights_sha256" in theirs:
        # A state is known by its hash; how it came to be is only told.
        free |= {"model.weights", "model.seed"}
    fields = [field for field in {**ours, **theirs} if field not in free]
    return tuple(
        _told(field, ours.get(field), theirs.get(field))
        for field in fields
        if ours.get(field) != theirs.get(field)
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
    mismatches = recipe_mismatches(kept, found)
    # No choice of images or options mends another version.
    is_older = kept.get("algorithm") != found.get("algorithm")
    again = " (embed the probe's own images again with this featbank, and save it anew)"
    if mismatches:
        raise StoreError(
            subject,
            f"is embedded in another way: {'; '.join(mismatches)}",
            f"what the probe was fitted on, in all but the images{again if is_older else ''}",
            remedy,
        )


def _flat(recipe: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in recipe.items():
        # An adapter is a name, or a mapping of its numbers; one field either way.
        if isinstance(value, dict) and name != "adapter":
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _plain(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A plan's recipe holds tuples where the same recipe read from JSON holds lists."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _told(field: str, kept: Any, found: Any) -> str:  # noqa: ANN401 - any JSON value
    name = _WORDS.get(field, field.removeprefix("model.config.").replace("_", " "))
    if isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        place = next(i for i in range(len(kept)) if kept[i] != found[i])
        if place >= _SHOWN:
            return f"{name} {found[place]} instead of {kept[place]} at place {place + 1}"
    words = [_in_words(field, value) for value in (found, kept)]
    if words[0] == words[1]:
        return f"{name} {words[0]} with other numbers"
    return f"{name} {words[0]} instead of {words[1]}"


def _in_words(field: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return "none"
    if field.endswith("sha256"):
        return f"sha256 {value[:_HASH_DIGITS]}…"
    if isinstance(value, dict):
        return str(value.get("name", value))
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:_SHOWN]))
        return f"{shown}, … ({len(value)})" if len(value) > _SHOWN else shown or "none"
    return str(value)
