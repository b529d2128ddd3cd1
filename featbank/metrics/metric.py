"""What a metric is: a vectorised function of weighted confusion matrices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Counts = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """A catalog entry.

    Attributes:
        name: Name in the results table.
        summary: One line with the formula.
        function: Maps confusion matrices (..., K, K), truth in rows and prediction in columns, to
            (...,) for an aggregate, or (..., K) for one value a class. NaN where undefined.
        per_class: Whether the function gives one value a class.
        average: ``macro`` where an aggregate averages the classes that are present: the function's
            own value, or, beside one value a class, their mean. Else None.
        has_interval: Whether a bootstrap interval makes sense; not for plain counts.
    """

    name: str
    summary: str
    function: Callable[[Counts], Counts] = field(repr=False)
    per_class: bool = False
    average: str | None = None
    has_interval: bool = True
