"""States of backbones that were fitted on train chips, kept by the hash that a recipe names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.bank.arrays_file import read_arrays, write_arrays
from featbank.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.bank.bank import Bank
    from featbank.image import Array


def state_path(bank: Bank, sha256: str) -> Path:
    """Path of a fitted state."""
    return bank.root / "states" / f"{sha256}.safetensors"


def write_state(bank: Bank, sha256: str, state: Mapping[str, Array]) -> None:
    """Keep a fitted state, unless it is kept already."""
    path = state_path(bank, sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, state)


def read_state(bank: Bank, sha256: str) -> dict[str, Array] | None:
    """A fitted state; None where the bank does not hold it.

    Raises:
        StoreError: Its file is damaged.
    """
    path = state_path(bank, sha256)
    if not path.exists():
        return None
    state = read_arrays(path)
    if state is None:
        raise StoreError(
            str(path), "is damaged", "what 'featbank embed' wrote", "Remove it and embed again."
        )
    return state
