"""Other 95 % intervals of an accuracy over groups, which featbank's are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from tests.benchmarks.grouped_draws import accuracy_left_out

RESAMPLES, TAILS = 500, np.array([0.025, 0.975])


def alternatives(right: Any, sizes: Any) -> dict[str, Any]:
    """Low and high (R,) by name of the method, for right ones and samples (R, G)."""
    groups = right.shape[1]
    rng = np.random.default_rng(0)
    times = rng.multinomial(groups, np.full(groups, 1 / groups), RESAMPLES).astype(float)
    value, left_out = accuracy_left_out(right, sizes)
    n = times @ sizes.T
    drawn = (times @ right.T) / n
    squares = [times @ part.T for part in (right**2, right * sizes, sizes**2)]
    inner = np.maximum(squares[0] - 2 * drawn * squares[1] + drawn**2 * squares[2], 0)
    spread = _spread(right, sizes, value)
    students = np.divide(drawn - value, np.sqrt(inner) / n, np.full_like(drawn, 0.0),
                         where=inner > 1e-12)  # fmt: skip
    quantile = stdtrit(groups - 1, 0.975)
    wide = ndtr(ndtri(TAILS) / ndtri(0.975) * quantile * np.sqrt(groups / (groups - 1)))
    far, near = np.quantile(students, TAILS, axis=0)
    return {
        "percentile bootstrap": np.quantile(drawn, TAILS, axis=0),
        "expanded percentile": np.quantile(drawn, wide, axis=0),
        "BCa": _bca(drawn, value, left_out),
        "bootstrap-t": (value - near * spread, value - far * spread),
        "t": (value - quantile * spread, value + quantile * spread),
        "Wilson on all samples": _wilson(value, sizes.sum(axis=1), ndtri(0.975)),
        "Korn-Graubard with Wilson": _korn_graubard(value, spread, sizes, quantile),
    }


def _spread(right: Any, sizes: Any, value: Any) -> Any:
    """Linearised standard error (R,)."""
    groups = right.shape[1]
    off = (right - value[:, None] * sizes) / sizes.sum(axis=1)[:, None]
    return np.sqrt(groups / (groups - 1) * (off**2).sum(axis=1))


def _bca(drawn: Any, value: Any, left_out: Any) -> Any:
    """Efron 1987, doi:10.1080/01621459.1987.10478410, section 2 and eq. 6.6."""
    below = ((drawn < value).sum(axis=0) + (drawn == value).sum(axis=0) / 2) / len(drawn)
    bias = ndtri(np.clip(below, 1 / len(drawn), 1 - 1 / len(drawn)))
    off = left_out.mean(axis=0) - left_out
    scale = np.maximum((off**2).sum(axis=0), 1e-150) ** 1.5
    speed = (off**3).sum(axis=0) / (6 * scale)
    ordered = np.sort(drawn, axis=0)
    ends = []
    for tail in TAILS:
        moved = bias + ndtri(tail)
        at = ndtr(bias + moved / (1 - speed * moved))
        ends.append(ordered[np.clip((at * len(drawn)).astype(int), 0, len(drawn) - 1),
                            np.arange(len(value))])  # fmt: skip
    return ends


def _korn_graubard(value: Any, spread: Any, sizes: Any, quantile: float) -> Any:
    binomial, n = value * (1 - value), sizes.sum(axis=1)
    is_seen = spread > 0
    worth = np.where(is_seen, binomial / np.where(is_seen, spread, 1) ** 2, sizes.shape[1])
    return _wilson(value, np.minimum(worth, n), quantile)


def _wilson(value: Any, n: Any, quantile: float) -> Any:
    square = quantile**2
    centre = (n * value + square / 2) / (n + square)
    half = quantile * np.sqrt(n * value * (1 - value) + square / 4) / (n + square)
    return centre - half, centre + half
