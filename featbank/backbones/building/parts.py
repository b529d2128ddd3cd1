"""The networks of a weights file: where each begins, which is meant, what stands beside it.

Training scripts wrap an encoder in many ways (``{"teacher": {"module.backbone.cls_token": …}}``).
None of them is listed here: a network begins wherever its own first names appear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from featbank.catalog import suggest
from featbank.errors import WeightsError

# Name of the part that is a file's only, unwrapped network.
WHOLE = "whole"
# Names that every network of a family has, whatever stands before them: timm, DINO, DINOv2 and MAE;
# transformers; DOFA, whose patch embedding is generated.
_FIRST = (
    "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.weight",
    "patch_embed.weight_generator.weight_tokens",
)
# Of a network whose patch embedding is lost, so that what it lacks can be told.
_SECOND = ("cls_token", "blocks.0.norm1.weight")
_BLOCKS = ("blocks.0.", "model.blocks.0.", "encoder.layer.0.", "layer.0.", "encoder.layers.0.")
# Words of names for averages of a network over its training.
_AVERAGED = frozenset(
    ("ema", "averaged", "average", "avg", "swa", "polyak", "shadow"),
) | {"teacher", "target", "momentum"}
# What optimisers keep for each weight, under names of the network's own: never a network.
_KEPT_BY_OPTIMISERS = re.compile(
    r"optim(i[sz]er)?s?|exp_avg(_sq)?|max_exp_avg_sq|momentum_buffer|grads?|gradients?"
)
# MMEngine's EMAHook swaps both when it saves, so that the averaged network is ``state_dict``; other
# scripts mean what the name says. Nothing in the file tells which: the user does.
_SWAPPED = ("state_dict", "ema_state_dict")
# Words of a name: of ``model_ema``, of ``modelEMA``.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Deeper than any known script wraps; a pickle may also hold itself.
_MAX_DEPTH = 5
# DINOv2's own trainer keeps blocks in chunks, numbered through: ``blocks.1.10.norm1.weight``.
_CHUNKED = re.compile(r"^((?:model\.)?blocks\.)\d+\.(\d+\.)")
_SHOWN = 4
_LONGEST = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class FileNetwork:
    """One network of a file.

    Attributes:
        name: Where it stands, as ``--answer part=NAME`` takes it.
        path: Where it stands in full: keys of mappings, then words before each name.
        state: Its tensors, by its own names.
        beside: First words of the names that stand beside it and belong to no network.
    """

    name: str
    path: tuple[str, ...]
    state: Mapping[str, Any]
    beside: tuple[str, ...] = ()

    def is_averaged(self, shared: int) -> bool:
        """Whether its place is called as averages over training are.

        Args:
            shared: Leading words of its path that every part of the file has.
        """
        said = self.words(shared) & _AVERAGED
        if "pool" in self.words(shared):
            said -= {"avg", "average"}
        # A bare 'momentum' is a velocity as often as a slow copy.
        return bool(said) and self.path[shared:] != ("momentum",)

    def words(self, shared: int) -> set[str]:
        """Words of its place, in small letters, after those that all parts share."""
        return {word.lower() for key in self.path[shared:] for word in _WORD.findall(key)}

    @property
    def is_of_optimiser(self) -> bool:
        """Whether its place is an optimiser's."""
        words = (word.lower() for key in self.path for word in key.split("."))
        return any(_KEPT_BY_OPTIMISERS.fullmatch(word) for word in words)


def parts_of(content: object) -> list[FileNetwork]:
    """All networks of a file's content, in its order."""
    found: list[FileNetwork] = []
    for path, tensors in _mappings(content, (), frozenset()):
        found += _networks(path, tensors)
    whole = [part for part in found if _has_blocks(part.state)] or found
    return [part for part in whole if not part.is_of_optimiser] or whole


def require_names(content: object, source: str) -> None:
    """Raise where tensors beside named ones have no names, or names cannot be printed.

    Control characters tell of damage, and would reach a terminal.

    Raises:
        WeightsError: Shows the first such name with its characters escaped.
    """
    for path, tensors in _mappings(content, (), frozenset()):
        odd = [key for key in tensors if not isinstance(key, str)]
        if odd:
            raise WeightsError(
                source,
                f"has a tensor called {ascii(odd[0])[:_LONGEST]}, a {type(odd[0]).__name__}",
                "names that are text",
                "Save the state dict alone.",
            )
        for name in (*path, *tensors):
            if not name.isprintable():
                raise WeightsError(
                    source,
                    f"has a name with control characters, {ascii(name)[:_LONGEST]}",
                    "names that can be printed",
                    "Fetch the file again.",
                )


def chosen_part(
    parts: list[FileNetwork], answer: str | None, source: str
) -> tuple[FileNetwork, str]:
    """The network that is meant, and what a user must know of the choice.

    Args:
        parts: The file's, one or more.
        answer: The user's word; None takes the only one, or the averaged one.
        source: File, for messages.

    Raises:
        WeightsError: No part is called so, or several could be meant.
    """
    if answer is not None:
        return _named(parts, answer, source), ""
    if all(_is_same(part, parts[0]) for part in parts):
        return parts[0], ""
    shared = min(_shared(part.path, parts[0].path) for part in parts[1:])
    plain = [part for part in parts if not part.is_averaged(shared)]
    if _is_open(parts, shared):
        plain = parts
    averaged = [part for part in parts if part not in plain and _averages(part, plain)]
    if averaged and all(_is_same(part, averaged[0]) for part in averaged):
        others = ", ".join(part.name for part in parts if part is not averaged[0])
        return averaged[0], (
            f"the averaged weights '{averaged[0].name}' are taken; the file also holds {others} "
            "(--answer part=NAME)"
        )
    raise WeightsError(
        source,
        f"holds {len(parts)} networks: {_listed(parts)}",
        "one, or your word which is meant",
        f"Pass --answer part={parts[0].name}, or another of them.",
    )


def _is_open(parts: list[FileNetwork], shared: int) -> bool:
    """Whether names that sound like averages may mean something else beside the others."""
    firsts = {part.path[0] for part in parts if part.path}
    adapts = any("source" in part.words(shared) for part in parts)
    return firsts >= set(_SWAPPED) or adapts


def _named(parts: list[FileNetwork], answer: str, source: str) -> FileNetwork:
    exact = [part for part in parts if part.name == answer]
    words = tuple(answer.split("."))
    found = exact or [part for part in parts if _contains(part.path, words)]
    if found and all(_is_same(part, found[0]) for part in found):
        return found[0]
    names = [part.name for part in parts]
    what = f"'{answer}' is no part" if not found else f"'{answer}' could be {_listed(found)}"
    raise WeightsError(
        source,
        f"--answer part={answer}: {what}",
        f"one of {_listed(parts)}",
        suggest(answer, names) if not found else "Name one of them in full.",
    )


def _contains(path: tuple[str, ...], words: tuple[str, ...]) -> bool:
    flat = tuple(word for key in path for word in key.split("."))
    return any(flat[i : i + len(words)] == words for i in range(len(flat)))


def _listed(parts: list[FileNetwork]) -> str:
    return ", ".join(part.name for part in parts)


def _is_same(part: FileNetwork, other: FileNetwork) -> bool:
    """Whether two parts hold equal numbers: then it does not matter which is taken."""
    if part is other:
        return True
    if set(part.state) != set(other.state):
        return False
    pairs = ((value, other.state[name]) for name, value in part.state.items())
    return all(a is b or _equal(a, b) for a, b in pairs)


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    is_plain = not any(t.is_quantized or t.layout != torch.strided or t.is_meta for t in (a, b))
    return is_plain and a.dtype == b.dtype and a.shape == b.shape and bool(torch.equal(a, b))


def _averages(part: FileNetwork, plain: list[FileNetwork]) -> bool:
    """Whether a part can be the average of another: a teacher of another size is none."""
    shapes = {name: value.shape for name, value in part.state.items()}
    return not plain or any(
        all(value.shape == shapes.get(name, value.shape) for name, value in other.state.items())
        for other in plain
    )


def _mappings(
    content: object, path: tuple[str, ...], above: frozenset[int]
) -> Iterator[tuple[tuple[str, ...], dict[Any, torch.Tensor]]]:
    """Every mapping with named tensors in it, however deep, and where it stands."""
    if len(path) > _MAX_DEPTH or id(content) in above:
        return
    if isinstance(content, list | tuple):
        content = dict(enumerate(content)) if len(content) <= _MAX_DEPTH else {}
    if not isinstance(content, Mapping):
        return
    tensors = {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if any(isinstance(name, str) for name in tensors):
        yield path, tensors
    for name, value in content.items():
        if isinstance(value, Mapping | list | tuple):
            yield from _mappings(value, (*path, str(name)), above | {id(content)})


def _networks(path: tuple[str, ...], tensors: dict[str, torch.Tensor]) -> list[FileNetwork]:
    """The networks of one flat mapping, each without what stands before its names."""
    prefixes = _prefixes(tensors, _FIRST) or _prefixes(tensors, _SECOND)
    held: dict[str, dict[str, torch.Tensor]] = {prefix: {} for prefix in prefixes}
    beside: dict[str, None] = {}
    longest_first = sorted(prefixes, key=len, reverse=True)
    for name, value in tensors.items():
        prefix = next((each for each in longest_first if name.startswith(each)), None)
        if prefix is None:
            beside[_first_words(name, prefixes)] = None
        else:
            held[prefix][_CHUNKED.sub(r"\1\2", name.removeprefix(prefix))] = value
    return [
        FileNetwork(
            name=_name(path, prefix, is_alone=len(prefixes) == 1),
            path=(*path, *([prefix.rstrip(".")] if prefix else [])),
            state=state,
            beside=tuple(beside),
        )
        for prefix, state in held.items()
    ]


def _prefixes(tensors: Mapping[str, Any], anchors: tuple[str, ...]) -> list[str]:
    found: dict[str, None] = {}
    for name in tensors:
        for anchor in anchors:
            if name == anchor or name.endswith(f".{anchor}"):
                found[name.removesuffix(anchor)] = None
    return list(found)


def _first_words(name: str, prefixes: list[str]) -> str:
    """The part of a name that tells its module: ``head`` of ``module.head.mlp.0.weight``."""
    words = name.split(".")
    shared = max((_shared(words, prefix.split(".")) for prefix in prefixes), default=0)
    return words[min(shared, len(words) - 1)]


def _shared(words: Sequence[str], others: Sequence[str]) -> int:
    count = 0
    for word, other in zip(words, others, strict=False):
        if word != other:
            break
        count += 1
    return count


def _name(path: tuple[str, ...], prefix: str, *, is_alone: bool) -> str:
    words = [*path, *([] if is_alone or not prefix else [prefix.rstrip(".")])]
    return ".".join(words) or WHOLE


def _has_blocks(state: Mapping[str, Any]) -> bool:
    return any(name.startswith(_BLOCKS) for name in state)


def no_network(content: object, source: str) -> WeightsError:
    """The refusal of a file that holds no network of a known form."""
    names = [
        name[:_LONGEST] for _, tensors in _mappings(content, (), frozenset()) for name in tensors
    ]
    keys = list(content) if isinstance(content, Mapping) else []
    if names:
        told = f"; its tensors are called {', '.join(names[:_SHOWN])}"
    elif any(not isinstance(key, str) for key in keys):
        first = ascii(keys[0])[:_LONGEST]
        told = f"; its keys are no names but {type(keys[0]).__name__}, such as {first}"
    else:
        told = f"; it is a {type(content).__name__} without tensors by name"
    return WeightsError(
        source,
        f"holds no cls_token and no {_FIRST[0]}{told}",
        "a vision transformer under the names of timm, DINO, DINOv2, MAE, transformers or DOFA",
        "Choose another file.",
    )
