"""Weights files and folders to flat state dicts: the part that is meant, under its own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.backbones.building.parts import chosen_part, no_network, parts_of, require_names
from featbank.backbones.building.safe_loading import load_values
from featbank.backbones.building.transformers_folder import indexed_tensors, weights_files
from featbank.errors import MissingPathError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    from featbank.backbones.building.parts import FileNetwork

_SHOWN = 4


def read_part(path: Path, answer: str | None = None) -> tuple[FileNetwork, tuple[str, ...]]:
    """The network of a weights file that is meant, and what a user must know of the choice.

    Args:
        path: Safetensors, or a PyTorch file of tensors and plain values, told by its bytes.
        answer: Which of its networks; None takes the only one, or the averaged one.

    Raises:
        MissingPathError: The file is not there.
        WeightsError: Not a weights file, one that holds more than tensors and plain values, or one
            whose networks leave open which is meant.
    """
    content = load_values(path)
    require_names(content, str(path))
    parts = parts_of(content)
    if not parts:
        raise no_network(content, str(path))
    part, note = chosen_part(parts, answer, str(path))
    notes = [note] if note else []
    if part.beside:
        more = ", …" if len(part.beside) > _SHOWN else ""
        notes.append(f"the file's {', '.join(part.beside[:_SHOWN])}{more} is ignored")
    return part, tuple(notes)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of the network of a weights file, without what training put before their names.

    Raises:
        MissingPathError: The file is not there.
        WeightsError: As of ``read_part``.
    """
    return dict(read_part(path)[0].state)


def read_folder(folder: Path) -> dict[str, torch.Tensor]:
    """Tensors of a transformers folder, under the names they were saved with.

    Raises:
        MissingPathError: It holds no safetensors.
        WeightsError: A file does not load, a shard is missing, two differ in a tensor that both
            hold, or the index names one that none holds.
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
        found = _tensors(load_values(path), path)
        _require_agreed(state, found, path)
        state |= found
    if lost := [name for name in indexed_tensors(folder) if name not in state]:
        raise WeightsError(
            str(folder),
            f"its index names '{lost[0]}', which no shard holds",
            "shards that hold all that their index names",
            "Fetch or save the folder again.",
        )
    return state


def _require_agreed(
    state: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor], path: Path
) -> None:
    for name in state.keys() & found.keys():
        one, other = state[name], found[name]
        if one.shape != other.shape or one.dtype != other.dtype or not bool((one == other).all()):
            raise WeightsError(
                str(path),
                f"'{name}' stands in another shard too, with other values",
                "each tensor once",
                "Fetch or save the folder again.",
            )


def _tensors(content: Any, path: Path) -> dict[str, torch.Tensor]:  # noqa: ANN401 - a file's
    import torch

    if isinstance(content, dict) and all(isinstance(v, torch.Tensor) for v in content.values()):
        return content
    raise WeightsError(
        str(path), "holds more than tensors by name", "a shard of weights", "Save the folder again."
    )
