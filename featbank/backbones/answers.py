"""Answers: what a family of backbones must be told, since its weights files do not tell it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex

from featbank.catalog import suggest
from featbank.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Value = str | int


@dataclass(frozen=True, kw_only=True)
class OpenQuestion:
    """One question that a family's files leave open.

    Attributes:
        name: What users type before ``=``.
        help: What it settles, in words.
        default: What is taken where nothing is said, in words.
        choices: The words that it may be; empty for any.
        is_count: Whether it is a whole number above zero.
        alias: The option of ``featbank embed`` that says the same; empty for none.
    """

    name: str
    help: str
    default: str
    choices: tuple[str, ...] = ()
    is_count: bool = False
    alias: str = ""

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        if self.is_count:
            return "a whole number, 1 or more"
        return " or ".join(self.choices) if self.choices else "a name"

    def sentence(self) -> str:
        """What it may be, what it settles and its default, in one line."""
        return f"{self.expected}; {self.help}; default: {self.default}"


PART = OpenQuestion(
    name="part",
    help="which of a file's networks is taken",
    default="its only one, or the averaged one (EMA, teacher, target encoder)",
)
HEADS = OpenQuestion(
    name="heads",
    help="attention heads, which no file of tensors tells",
    default="width / 64",
    is_count=True,
)
POSITIONS = OpenQuestion(
    name="positions",
    help="how positions are interpolated off the native size",
    default="original",
    choices=("original", "transformers"),
    alias="--positions",
)
RESHAPE = OpenQuestion(
    name="reshape",
    help="how the kernels of DOFA v1 are laid out: new since 2024-08-30, old before",
    default="by the hash of a known file",
    choices=("new", "old"),
    alias="--dofa-reshape",
)


def settled_answers(
    declared: Sequence[OpenQuestion], given: Mapping[str, Any], *, subject: str
) -> dict[str, Value]:
    """Answers as a family declares them, each of its type.

    Args:
        declared: The family's answers.
        given: What the user said, by name.
        subject: Who is asked, such as ``model 'vit-tiny'``, for messages.

    Raises:
        UsageError: A name that the family does not know, or a value of another kind.

    Example:
        >>> settled_answers([HEADS], {"heads": "12"}, subject="model 'vit-small'")
        {'heads': 12}
    """
    known = {answer.name: answer for answer in declared}
    for name, value in given.items():
        if name not in known:
            raise UsageError(
                f"--answer {name}={value}",
                f"{subject} with these weights leaves no such choice",
                f"one of {', '.join(known)}" if known else "no --answer for it",
                suggest(str(name), known) if known else "Leave it out.",
            )
    return {name: _settled(known[name], value) for name, value in given.items()}


def as_mapping(given: object) -> dict[str, Any]:
    """Answers as they came, by name.

    Raises:
        UsageError: They are no mapping.
    """
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    if given is None:
        return {}
    raise UsageError(
        "answers",
        f"is a {type(given).__name__}",
        "a mapping such as {'heads': 12}",
        "Pass answers by their names.",
    )


def _settled(answer: OpenQuestion, value: object) -> Value:
    found = _count(value) if answer.is_count else value if isinstance(value, str) else None
    if not found or (answer.choices and found not in answer.choices):
        raise UsageError(
            f"--answer {answer.name}={value}",
            f"is no answer to '{answer.name}'",
            answer.expected,
            suggest(str(value), answer.choices) if answer.choices else "Correct it.",
        )
    return found


def _count(value: object) -> int | None:
    """A whole number above zero, as a number or as its digits; None for anything else."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    if isinstance(value, bool):
        return None
    return max(0, operator.index(value)) if isinstance(value, SupportsIndex) else None
