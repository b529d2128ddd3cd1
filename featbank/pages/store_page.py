"""A store in a terminal: what it says of itself, and its classes by splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.pages.catalog_table import print_description
from featbank.pages.class_table import print_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.lookup.class_table import ClassTable

# Told by the schemes' own lines and by the notes.
_TOLD_ELSEWHERE = ("scheme_aliases", "split_notes")


def print_store(description: Mapping[str, Any], classes: ClassTable) -> None:
    """Print a store's description, each split scheme by its true name once, and its classes."""
    aliases = description["scheme_aliases"]
    other = {true: name for name, true in aliases.items()}
    schemes = [
        f"{name} ({other[name]})" if name in other else name
        for name in description["split_schemes"]
        if name not in aliases
    ]
    kept = {name: value for name, value in description.items() if name not in _TOLD_ELSEWHERE}
    print_description({**kept, "split_schemes": schemes})
    print_classes(classes)
