"""How tables of results look on the terminal: one style, one way to write a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box

if TYPE_CHECKING:
    from featbank.result import Result

STYLE: dict[str, Any] = {
    "title_justify": "left",
    "box": box.SIMPLE_HEAD,
    "pad_edge": False,
    "padding": (0, 1, 0, 0),
}
_NAMES = {"map": "mAP", "f1": "F1", "f2": "F2"}


def metric_name(metric: str) -> str:
    """A metric as people write it."""
    return _NAMES.get(metric, metric.replace("_", " "))


def number(value: float) -> str:
    """Three decimals without the leading zero; a dash where there is no number."""
    return "-" if np.isnan(value) else f"{value:.3f}".removeprefix("0")


def interval(row: Result) -> str:
    """Both ends of the interval; empty where there is none."""
    if row.low is None or row.high is None:
        return ""
    return f"{number(row.low)}-{number(row.high)}"
