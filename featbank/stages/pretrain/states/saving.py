"""States to resume from: whole or not there, each checked before it is used."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.bank.checkpoints import TRAINING
from featbank.disk import sweep, write_new, written_whole
from featbank.errors import FeatbankError, TrainingError
from featbank.json_file import DamagedJson, read_object
from featbank.recipes.recipe import file_sha256
from featbank.trouble import os_error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import Tensor

FORMAT = 1
_TENSORS, _RECORD = ".safetensors", ".json"


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that a run needs to go on exactly.

    Attributes:
        step: The next step.
        tensors: The method's and the optimiser's tensors by name.
        watch: What the watch over collapse remembers.
    """

    step: int
    tensors: Mapping[str, Tensor]
    watch: Mapping[str, Any]


class StateFolder:
    """``<checkpoint>/training``: the newest states of a run.

    A state is a safetensors file and a record with its SHA-256; the record comes last, so a state
    with a record is whole unless the disk damages it.

    Args:
        checkpoint: The checkpoint's folder.
        recipe_id: Of the run; states of another are not taken.
        keep: States to keep beside the newest.
    """

    def __init__(self, checkpoint: Path, *, recipe_id: str, keep: int) -> None:
        self.path = checkpoint / TRAINING
        self._recipe_id = recipe_id
        self._keep = keep

    def write(self, state: State) -> None:
        """Write a state, then remove those beyond what is kept.

        Raises:
            TrainingError: The disk is full or fails; former states stand.
        """
        with told_when_disk_fails(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            name = f"state-{state.step:09d}"
            with written_whole(self.path / f"{name}{_TENSORS}") as hidden:
                _save(state.tensors, hidden)
                sha256 = file_sha256(hidden)
            record = {
                "format": FORMAT,
                "recipe_id": self._recipe_id,
                "step": state.step,
                "sha256": sha256,
                "watch": dict(state.watch),
            }
            with written_whole(self.path / f"{name}{_RECORD}") as hidden:
                write_new(hidden, json.dumps(record).encode())
        self._remove_old()

    def newest(self, *, tell: Callable[[str], None]) -> State | None:
        """The newest state that is whole; None where there is none.

        Args:
            tell: Takes one line for each newer state that is not.
        """
        self.sweep()
        for record in self._records():
            try:
                return self._read(record)
            except (OSError, ValueError, KeyError, TypeError, DamagedJson) as error:
                tell(f"{record.with_suffix('').name}: left out, {error}; the one before is taken")
        return None

    def sweep(self) -> None:
        """Remove what a process that died left half written."""
        sweep(self.path)

    def remove(self) -> None:
        """Remove all states, and the folder where nothing else is in it."""
        self.sweep()
        for record in self._records():
            _remove(record)
        for stray in self.path.glob(f"state-*{_TENSORS}"):
            stray.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def _records(self) -> list[Path]:
        """Records of the states, newest first."""
        return sorted(self.path.glob(f"state-*{_RECORD}"), reverse=True)

    def _remove_old(self) -> None:
        for record in self._records()[self._keep + 1 :]:
            _remove(record)

    def _read(self, path: Path) -> State:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        record = read_object(path)
        if record["format"] != FORMAT or record["recipe_id"] != self._recipe_id:
            raise ValueError("it is of another run")
        tensors = path.with_suffix(_TENSORS)
        if file_sha256(tensors) != record["sha256"]:
            raise ValueError("it is cut short or damaged")
        if not isinstance(record["step"], int) or not isinstance(record["watch"], dict):
            raise ValueError("its record is damaged")  # noqa: TRY004 - told like all other damage
        try:
            loaded = load_file(tensors)
        except SafetensorError as error:
            raise ValueError("it does not load") from error
        return State(step=record["step"], tensors=loaded, watch=record["watch"])


@contextlib.contextmanager
def told_when_disk_fails(path: Path) -> Iterator[None]:
    """Turn a failing disk into one line.

    Raises:
        TrainingError: Writing failed.
    """
    from safetensors import SafetensorError

    try:
        yield
    except FeatbankError:
        raise
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            str(path),
            f"cannot be written ({_reason(error)})",
            "a disk with room for the run's states",
            "Make room and repeat the command; it goes on from the last state.",
        ) from error


def _reason(error: Exception) -> str:
    """What the system says, which the safetensors library gives as a number inside a text."""
    system = error if isinstance(error, OSError) else os_error_of(error)
    return getattr(system, "strerror", None) or (str(error).splitlines() or [""])[0]


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    from safetensors.torch import save_file

    # A new file of our own, which follows no link; the library then writes into it.
    write_new(path, b"")
    mode = path.stat().st_mode
    save_file(_unshared(tensors), path)
    # The library gives its files to their owner alone; a bank may be shared.
    path.chmod(mode)


def _unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of which no two share memory, which the format refuses."""
    seen: set[int] = set()
    out = {}
    for name, value in tensors.items():
        place = value.untyped_storage().data_ptr()
        out[name] = value.clone() if place in seen else value.contiguous()
        seen.add(place)
    return out


def _remove(record: Path) -> None:
    # Without its record a state is none, so that goes first.
    record.unlink(missing_ok=True)
    record.with_suffix(_TENSORS).unlink(missing_ok=True)
