"""Numbers of options that no run could use, refused before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Check:
    """What is asked of one option.

    Attributes:
        option: Its name at the command line.
        value: As the user said.
        is_good: Whether a run could use it.
        expected: What could be used, in words.
    """

    option: str
    value: object
    is_good: bool
    expected: str


def at_least(option: str, value: float | None, lowest: int) -> Check:
    """A number from some value on; None is left to others."""
    # Told so, since a comparison with NaN is never true.
    return Check(option, value, value is None or value >= lowest, f"{lowest} or more")


def share(option: str, value: float) -> Check:
    """A part of a whole, 0 to 1."""
    return Check(option, value, 0 <= value <= 1, "0 to 1")


def seed_check(seed: int) -> Check:
    """A seed that numpy, scikit-learn and torch all take."""
    return Check("--seed", seed, 0 <= seed < 1 << 32, "0 to 2^32 - 1")


def require(checks: Iterable[Check]) -> None:
    """Refuse the first that is not good.

    Raises:
        UsageError: Names the option and what is expected.
    """
    for check in checks:
        if not check.is_good:
            subject = f"{check.option} {check.value}"
            raise UsageError(subject, "out of range", check.expected, f"Correct {check.option}.")
