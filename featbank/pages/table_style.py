"""How tables of results look on the terminal: one style, one way to write a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box

if TYPE_CHECKING:
    from collections.abc import Iterable

    from featbank.result import Result

# What no interval from one test set can tell, as every caption says it.
LEAVES_OUT = "leave out how scores vary with training sets and splits"
STYLE: dict[str, Any] = {
    "title_justify": "left",
    "box": box.SIMPLE_HEAD,
    "pad_edge": False,
    "padding": (0, 1, 0, 0),
}
_NAMES = {
    "map": "mAP",
    "f1": "F1",
    "f2": "F2",
    "ece": "ECE",
    "rmsce": "root mean square calibration error",
    "mce": "maximum calibration error",
    "brier": "Brier score",
    "hamming_loss": "Hamming loss",
    "top3_accuracy": "top-3 accuracy",
    "top5_accuracy": "top-5 accuracy",
}
THRESHOLDS = {"0.5": "at 0.5", "tuned-f2": "at thresholds tuned for F2"}


def metric_name(metric: str, average: str | None = None, threshold: str | None = None) -> str:
    """A metric as people write it, such as ``F2 (macro) at 0.5``."""
    name = _NAMES.get(metric, metric.replace("_", " "))
    # What is called balanced accuracy is a macro average already.
    is_said = average and metric != "balanced_accuracy"
    words = f"{name} ({average})" if is_said else name
    return f"{words} {THRESHOLDS.get(threshold, threshold)}" if threshold else words


def number(value: float) -> str:
    """Three decimals without the leading zero; a dash where there is no number.

    Example:
        >>> number(0.5), number(-0.0123), number(1.0)
        ('.500', '-.012', '1.000')
    """
    if np.isnan(value):
        return "-"
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 0.9995 else f"{value:.3f}"


def distance(metres: float) -> str:
    """A distance in metres, or from 10 km on in kilometres.

    Example:
        >>> distance(0.0), distance(639.6), distance(12_345.0)
        ('0 m', '640 m', '12 km')
    """
    return f"{metres / 1000:.0f} km" if metres >= 10_000 else f"{metres:.0f} m"


def how_far(row: Result) -> str:
    """How far test lies from what was fitted on; empty where places are unknown."""
    if row.distance_min_m is None or row.distance_median_m is None:
        return ""
    least, median = distance(row.distance_min_m), distance(row.distance_median_m)
    return f"test lies {least} or more from what was fitted on (median {median})"


def buffered(row: Result) -> str:
    """The buffer round test, as titles name it; empty where there is none."""
    return "" if row.buffer_m is None else f", {row.buffer_m:g} m from test"


def intervals_over(units: Iterable[str]) -> str:
    """What the intervals of a table or figure take as independent, and what they leave out.

    Args:
        units: What results say in ``resampled``: ``group``, ``sample``.
    """
    independent = " or ".join(f"{unit}s" for unit in sorted(set(units)))
    return f"95 % intervals take {independent} as independent and {LEAVES_OUT}"


def interval(row: Result) -> str:
    """Both ends of the interval; empty where there is none."""
    if row.low is None or row.high is None:
        return ""
    return f"{number(row.low)}-{number(row.high)}"
