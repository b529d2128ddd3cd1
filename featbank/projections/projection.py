"""What a projection is: a record that is cheap to import, and a function that lays samples out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from featbank.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from featbank.image import Array

    # Name of the step, what is done of it, and how much there is.
    Progress = Callable[[str, int, int | None], None]


def silent(step: str, done: int, total: int | None) -> None:
    """Progress that nobody sees."""


class Projected(Protocol):
    """Samples laid out in two dimensions, into which others can be placed."""

    @property
    def xy(self) -> Array:
        """(n, 2) float32 coordinates of the samples that it was fitted on."""

    def place(self, features: Array) -> Array:
        """(m, 2) float32 coordinates of other samples (m, D), each as if it came alone."""


@dataclass(frozen=True, kw_only=True)
class ProjectionSpec:
    """A catalog entry.

    Attributes:
        name: What users type.
        summary: One line on what it shows.
        defaults: Parameters and their values.
        check: Raises where parameters are out of range.
        fit: Lays features (n, D), n >= 2, out with parameters and a seed; tells its steps.
        algorithm: Number that grows when other coordinates come of the same recipe.
        source: Where the algorithm and its defaults come from.
    """

    name: str
    summary: str
    defaults: Mapping[str, Any]
    check: Callable[[Mapping[str, Any]], None] = field(repr=False)
    fit: Callable[[Array, Mapping[str, Any], int, Progress], Projected] = field(repr=False)
    algorithm: int = 1
    source: str

    def params(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The defaults with what is chosen instead.

        Raises:
            UsageError: It has no such parameter, or a value is out of range.
        """
        for name in chosen:
            if name not in self.defaults:
                raise UsageError(
                    f"--{name.replace('_', '-')}",
                    f"projection '{self.name}' has no such parameter",
                    f"one of {', '.join(self.defaults)}" if self.defaults else "none",
                    "Leave it out.",
                )
        params = {**self.defaults, **chosen}
        self.check(params)
        return params
