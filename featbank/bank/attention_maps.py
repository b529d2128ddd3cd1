"""Attention of named samples as safetensors files: one a store and block, added to as asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.bank.arrays_file import read_arrays, write_arrays
from featbank.bank.lock import locked
from featbank.errors import StoreError
from featbank.recipes.recipe import short_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.bank.bank import Bank
    from featbank.image import Array

_SUFFIX = ".safetensors"
_AXES = 4


def attention_path(bank: Bank, store_recipe: str, layer: int) -> Path:
    """Path of the attention of one block.

    Args:
        bank: Where to look.
        store_recipe: Id of the store's recipe.
        layer: Block index.
    """
    return bank.root / "attention" / f"{short_id(store_recipe)}-{layer}{_SUFFIX}"


def attention_layers(bank: Bank, store_recipe: str) -> list[int]:
    """Blocks whose attention is kept for some samples of a store, in order."""
    prefix = f"{short_id(store_recipe)}-"
    found = (bank.root / "attention").glob(f"{prefix}*{_SUFFIX}")
    layers = (path.stem.removeprefix(prefix) for path in found)
    return sorted(int(layer) for layer in layers if layer.isdecimal())


def write_attention(
    bank: Bank, store_recipe: str, layer: int, maps: Mapping[str, Array]
) -> tuple[Path, int]:
    """Keep attention beside what is kept already.

    Args:
        bank: Where to.
        store_recipe: Id of the store's recipe.
        layer: Block index.
        maps: (heads, 1 + R, gy, gx) probabilities by sample id; those that are there are replaced.

    Returns:
        The file, and how many samples it holds.

    Raises:
        LockedError: Another process writes it.
        StoreError: What is there is damaged.
    """
    path = attention_path(bank, store_recipe, layer)
    with locked(path, tell=lambda _: None):
        merged = read_attention(bank, store_recipe, layer) | dict(maps)
        write_arrays(path, merged)
    return path, len(merged)


def read_attention(bank: Bank, store_recipe: str, layer: int) -> dict[str, Array]:
    """(heads, 1 + R, gy, gx) probabilities by sample id; empty where nothing is kept.

    Raises:
        StoreError: The file is damaged.
    """
    path = attention_path(bank, store_recipe, layer)
    if not path.exists():
        return {}
    maps = read_arrays(path)
    if maps is None or any(m.ndim != _AXES or m.dtype.kind != "f" for m in maps.values()):
        raise StoreError(
            str(path), "is damaged", "what 'featbank attend' wrote", "Remove it and attend again."
        )
    return maps
