"""What a logger is: a cheap record, and the writer that it opens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from featbank.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

STEP = "step"


@dataclass(frozen=True, kw_only=True)
class LogRequest:
    """What a logger is opened with.

    Attributes:
        folder: The checkpoint's folder.
        name: The checkpoint's name.
        recipe_id: Hash of everything that decides the weights; a resumed run has the same.
        hyper: Hyper-parameters.
        start: First step of this run; rows of this step and later ones are void.
    """

    folder: Path
    name: str
    recipe_id: str
    hyper: Mapping[str, Any]
    start: int


class Logger(ABC):
    """Takes rows, one a step, in order."""

    @abstractmethod
    def write(self, row: Mapping[str, float]) -> None:
        """Take a row: ``step`` and numbers by name; rows need not have the same names."""

    def flush(self) -> None:  # noqa: B027 - a service keeps no file of its own
        """Have all rows on disk."""

    def close(self) -> None:
        """End; all rows are kept."""
        self.flush()


@dataclass(frozen=True, kw_only=True)
class LoggerSpec:
    """A catalog entry.

    Attributes:
        name: What users type after ``--log``.
        summary: One line on what it is.
        open: Makes the writer.
        is_default: Whether every run has it.
    """

    name: str
    summary: str
    open: Callable[[LogRequest], Logger] = field(repr=False)
    is_default: bool = False


def lacking_extra(name: str) -> UsageError:
    """The error of a logger whose library is not installed."""
    return UsageError(
        f"--log {name}",
        f"the package '{name}' is not installed",
        f"it beside featbank: pip install 'featbank[{name}]'",
        f"Install it, or leave --log {name} out.",
    )
