"""Recipes: what was meant, as canonical JSON, and the stable id that is its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Recipe = Mapping[str, Any]
_BLOCK_BYTES = 1 << 20
# How the origin of random weights begins; with the comma it is no file's name.
UNTRAINED = "random, untrained"


def canonical_json(recipe: Recipe) -> str:
    """The one spelling of a recipe: keys sorted, no spaces, no NaN, UTF-8.

    Example:
        >>> canonical_json({"b": 1, "a": (0.5, None)})
        '{"a":[0.5,null],"b":1}'
    """
    return json.dumps(
        recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def recipe_id(recipe: Recipe) -> str:
    """64 hexadecimal digits: the SHA-256 of the recipe's canonical JSON."""
    return hashlib.sha256(canonical_json(recipe).encode()).hexdigest()


def short_id(identifier: str) -> str:
    """The first eight digits of an id, as they stand in file names."""
    return identifier[:8]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def text_sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8; names of files that are not UTF-8 keep their bytes."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def lines_sha256(lines: Iterable[str]) -> str:
    """SHA-256 of lines, each ended by a newline; their order matters."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def round_significant(values: Iterable[float], digits: int = 6) -> list[float]:
    """Numbers at a fixed number of significant digits.

    Fitted statistics differ in the last bits between machines; rounded, they give the same recipe.

    Example:
        >>> round_significant([1234.56789, 0.000123456789])
        [1234.57, 0.000123457]
    """
    return [float(f"{value:.{digits}g}") for value in values]
