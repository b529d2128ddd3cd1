"""What a comparison of two results says, as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.stages.compare.pairs import Pair

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def sentence(pair: Pair, names: Sequence[str]) -> str:
    """What a pair tells, such as ``A beats B by .012 (.004 to .020), p = .003 after Holm.``.

    Args:
        pair: Two results.
        names: What all results are called.
    """
    a, b = names[pair.a], names[pair.b]
    if pair.p_holm is None or pair.low is None or pair.high is None:
        return (
            f"No difference shown between {a} and {b}: {_number(pair.difference)}, without an "
            "interval: there are fewer than five groups or samples to resample, or no resamples."
        )
    exact = "" if pair.p_mcnemar is None else f" (McNemar's exact p {_p(pair.p_mcnemar)})"
    tail = f"p {_p(pair.p_holm)} after Holm{exact}."
    if pair.better is None:
        span = f"{_number(pair.difference)} ({_number(pair.low)} to {_number(pair.high)})"
        return f"No difference shown between {a} and {b}: {span}, {tail}"
    low, high = sorted((abs(pair.low), abs(pair.high)))
    winner, loser = (a, b) if pair.better == pair.a else (b, a)
    span = f"{_number(abs(pair.difference))} ({_number(low)} to {_number(high)})"
    return f"{winner} beats {loser} by {span}, {tail}"


def letters(position: int) -> str:
    """``A`` to ``Z``, then ``AA``, ``AB``, …, as columns of a spreadsheet.

    Example:
        >>> letters(0), letters(25), letters(26)
        ('A', 'Z', 'AA')
    """
    rest, last = divmod(position, len(_LETTERS))
    return (letters(rest - 1) if rest else "") + _LETTERS[last]


def _number(value: float) -> str:
    """Three decimals without the leading zero.

    Example:
        >>> _number(-0.0123), _number(1.5)
        ('-.012', '1.500')
    """
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def _p(p: float) -> str:
    """Three decimals, four of small ones; a bootstrap never gives 0."""
    if p < 0.0001:
        return "< .0001"
    return f"= {_number(p)}" if p >= 0.001 else "= " + f"{p:.4f}".removeprefix("0")
