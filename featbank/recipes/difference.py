"""Why two embed recipes differ, field by field, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORDS = {
    "concat": "number of stores joined",
    "algorithm": "version of the embedding algorithm",
    "schema": "store schema",
    "dataset.name": "dataset",
    "dataset.samples": "number of samples",
    "dataset.fingerprint": "images",
    "dataset.fingerprint_of": "what images are known by",
    "dataset.units": "unit of the bands",
    "dataset.calibration": "calibration of the backscatter",
    "dataset.processing": "processing level",
    "dataset.limit": "limit of samples per split",
    "dataset.split_scheme": "split scheme of the limit",
    "input.bands": "bands",
    "input.adapter": "adapter",
    "input.image_size": "image size",
    "input.resize": "resize",
    "input.missing.fill": "value of missing pixels",
    "input.missing.most": "largest share of missing pixels",
    "input.normalise.method": "normalisation",
    "input.normalise.mean": "mean subtracted",
    "input.normalise.std": "standard deviation divided by",
    "input.normalise.source": "source of the statistics",
    "model.name": "model",
    "model.weights_sha256": "weights",
    "model.weights": "origin of the weights",
    "model.seed": "seed of the weights",
    "features": "features stored",
    "layers": "layers",
    "compute_dtype": "compute dtype",
    "store_dtype": "storage dtype",
    "layout.shard_rows": "rows of a shard",
    "layout.chunk_rows": "rows of a chunk",
}
_HASHED = ("dataset.fingerprint", "model.weights_sha256")
_HASH_DIGITS = 8
_SHOWN = 4
ABSENT = "-"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that two stores do not share.

    Attributes:
        field: Its place, such as ``input.normalise.mean``.
        name: The field in words.
        first: What the first store says, in words.
        second: What the second store says.
    """

    field: str
    name: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.name} ({self.first} against {self.second})"


def recipe_differences(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """Fields of two recipes that differ, in the order of the recipes.

    Args:
        first: A store's ``recipe``.
        second: Another's.
    """
    ours, theirs = dict(_flat(first)), dict(_flat(second))
    fields = sorted(ours.keys() | theirs.keys(), key=_order)
    return tuple(
        difference(field, ours.get(field), theirs.get(field))
        for field in fields
        if ours.get(field) != theirs.get(field)
    )


def difference(field: str, first: Any, second: Any) -> Difference:  # noqa: ANN401 - any JSON value
    """One differing field, in words; None stands for a field that a store lacks."""
    words = [_in_words(field, value) for value in (first, second)]
    if isinstance(first, dict) and words[0] == words[1]:
        words[1] += " with other numbers"
    elif words[0] == words[1] or _parts_unseen(first, second):
        # Long lists are shown by their first values; where those agree, show where they part.
        words = [_from_first_difference(value, other) for value, other in _both(first, second)]
    return Difference(field=field, name=_name(field), first=words[0], second=words[1])


def _flat(recipe: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in recipe.items():
        # An adapter is one name, or a mapping of its numbers; it is one field either way.
        if isinstance(value, dict) and name != "adapter":
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _plain(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A plan's recipe holds tuples where the same recipe read from JSON holds lists."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _order(field: str) -> tuple[int, str]:
    known = list(_WORDS)
    # A model's settings stand where its weights do.
    place = known.index(field) if field in known else known.index("model.weights_sha256")
    return place, field


def _name(field: str) -> str:
    return _WORDS.get(field, field.removeprefix("model.config.").replace("_", " "))


def _in_words(field: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return ABSENT
    if field in _HASHED:
        return f"sha256 {value[:_HASH_DIGITS]}…"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words('', inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return _listed(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(values: list[Any]) -> str:
    if len(values) > 1 and all(value == values[0] for value in values):
        return f"{_in_words('', values[0])} ({len(values)} times)"
    shown = ", ".join(_in_words("", value) for value in values[:_SHOWN])
    return f"{shown}, … ({len(values)} in all)" if len(values) > _SHOWN else shown or "none"


def _both(first: Any, second: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - any JSON value
    yield first, second
    yield second, first


def _parts_unseen(first: Any, second: Any) -> bool:  # noqa: ANN401 - any JSON value
    are_lists = isinstance(first, list) and isinstance(second, list)
    return are_lists and len(first) == len(second) and first[:_SHOWN] == second[:_SHOWN]


def _from_first_difference(value: Any, other: Any) -> str:  # noqa: ANN401 - any JSON value
    if not isinstance(value, list) or not isinstance(other, list):
        return repr(value)
    place = next(
        (at for at, (a, b) in enumerate(zip(value, other, strict=False)) if a != b),
        min(len(value), len(other)),
    )
    told = repr(value[place]) if place < len(value) else "nothing"
    return f"{told} at place {place + 1}"
