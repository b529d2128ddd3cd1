"""Weights files to flat state dicts: safetensors, or pickles read with ``weights_only=True``."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from featbank.errors import MissingPathError, WeightsError

if TYPE_CHECKING:
    from pathlib import Path

# Where training scripts put the encoder inside a checkpoint: DINO v1 (`teacher`), MAE (`model`),
# Lightning (`state_dict`).
_WRAPPERS = ("teacher", "model", "state_dict")
# What those scripts put before each key; stripped one after another.
_PREFIXES = ("module.", "_orig_mod.", "backbone.", "encoder.", "model.")


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a weights file to a flat mapping of names to tensors.

    Args:
        path: ``.safetensors``, or a PyTorch file that holds tensors alone.

    Raises:
        MissingPathError: The file is not there.
        WeightsError: Not a weights file, or one that holds more than tensors.
    """
    if not path.is_file():
        raise MissingPathError(
            str(path), "there is no such file", "a weights file", "Check the path after --weights."
        )
    state = _load(path)
    for wrapper in _WRAPPERS:
        if isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    tensors = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    return _without_prefix(tensors)


def read_folder(folder: Path) -> dict[str, torch.Tensor]:
    """Tensors of a transformers folder, under the names they were saved with.

    Raises:
        MissingPathError: It holds no safetensors.
        WeightsError: A file does not load.
    """
    files = weights_files(folder)
    if not files:
        raise MissingPathError(
            str(folder),
            "holds no model*.safetensors",
            "a transformers folder saved as safetensors",
            "Save it with model.save_pretrained(folder).",
        )
    state: dict[str, torch.Tensor] = {}
    for path in files:
        state |= _load(path)
    return state


def weights_files(folder: Path) -> list[Path]:
    """Weights of a transformers folder, in one file or several, in order."""
    return sorted(folder.glob("model*.safetensors"))


def _load(path: Path) -> Mapping[str, Any]:
    try:
        if path.suffix == ".safetensors":
            state: Mapping[str, Any] = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            str(path),
            f"does not load ({first})",
            "safetensors, or a PyTorch file of tensors alone",
            "Convert it to safetensors, or fetch it again.",
        ) from error
    if not isinstance(state, Mapping):
        raise WeightsError(
            str(path), f"holds a {type(state).__name__}", "a state dict", "Save the state dict."
        )
    return state


def _without_prefix(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for prefix in _PREFIXES:
        # Already the encoder itself: DOFA v2 keeps ``patch_embed`` beside a trunk called ``model``.
        if any(key.startswith("patch_embed.") for key in state):
            return state
        kept = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        if kept and any(key.startswith(("blocks.", "backbone.", "encoder.")) for key in kept):
            state = kept
    return state
