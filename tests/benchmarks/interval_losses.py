"""How often the rule of other metrics' intervals would cover the Brier score: why losses have none.

Made groups have their own share right; a sample's score is 2 (1 - c)^2 where it is right and 2 c^2
where it is wrong, of two classes at confidence c. The truth is the score on endless new groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.metrics.scoring.intervals import grouped_interval, jackknife
from tests.benchmarks.grouped_draws import group_shares, group_sizes

if TYPE_CHECKING:
    from pathlib import Path

REPEATS, CONFIDENCE, BOUNDS = 2000, 0.95, (0.0, 2.0)
GROUPS, P, ICC = (10, 20, 40, 100), (0.9, 0.97, 0.99), (0.1, 0.3)
RIGHT, WRONG = 2 * (1 - CONFIDENCE) ** 2, 2 * CONFIDENCE**2


def measure(shared: Path) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    found = {
        f"{groups} {'equal' if is_equal else 'unequal'}, p {p:g}, icc {icc:g}": round(
            covered(rng, groups, p, icc, is_equal), 3
        )
        for groups in GROUPS
        for is_equal in (True, False)
        for p in P
        for icc in ICC
    }
    spans = [min(found.values()), max(found.values())]
    return {"covered": found, "least_and_most": spans, "repeats": REPEATS}


def covered(rng: Any, groups: int, p: float, icc: float, is_equal: bool) -> float:
    sizes = group_sizes(rng, REPEATS, groups, is_equal)
    right = rng.binomial(sizes, group_shares(rng, p, icc, (REPEATS, groups)))
    sums = right * RIGHT + (sizes - right) * WRONG
    whole, count = sums.sum(axis=1), sizes.sum(axis=1)
    left_out = ((whole[:, None] - sums) / (count[:, None] - sizes)).T
    values = whole / count
    low, high = grouped_interval(
        values, jackknife(values, left_out), units=np.full(REPEATS, float(groups)), bounds=BOUNDS
    )
    truth = p * RIGHT + (1 - p) * WRONG
    return float(((low <= truth) & (truth <= high)).mean())
