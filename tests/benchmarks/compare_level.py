"""How often ``compare`` finds a difference that is none, beside McNemar's test, over groups.

Two probes are right equally often on endless new groups, but a group suits one or the other: each
has its own share right in it. A test at level .05 should find a difference in 5 % of the sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.metrics.scoring.mcnemar import mcnemar
from featbank.metrics.scoring.paired import difference
from tests.benchmarks.grouped_draws import group_shares, group_sizes

if TYPE_CHECKING:
    from pathlib import Path

REPEATS, RESAMPLES, LEVEL = 2000, 4999, 0.05
GROUPS, P, ICC = (5, 7, 10, 20, 40, 100), (0.7, 0.9), (0.1, 0.3)


def measure(shared: Path) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    found = {
        f"{groups} {'equal' if is_equal else 'unequal'}, p {p:g}, icc {icc:g}": rejected(
            rng, groups, p, icc, is_equal
        )
        for groups in GROUPS
        for is_equal in (True, False)
        for p in P
        for icc in ICC
    }
    return {
        "rejected": found,
        "paired_bootstrap": spans(found, "paired bootstrap"),
        "mcnemar": spans(found, "mcnemar"),
        "repeats": REPEATS,
        "resamples": RESAMPLES,
    }


def rejected(rng: Any, groups: int, p: float, icc: float, is_equal: bool) -> dict[str, float]:
    chance = np.full(groups, 1 / groups)
    times = rng.multinomial(groups, chance, RESAMPLES).astype(float)
    by_bootstrap = by_mcnemar = 0
    for _ in range(REPEATS):
        sizes = group_sizes(rng, 1, groups, is_equal)[0]
        first, second = (group_shares(rng, p, icc, (groups,)) for _ in range(2))
        alone, other = rng.multinomial(
            sizes, np.stack([first * (1 - second), second * (1 - first),
                             first * second + (1 - first) * (1 - second)], axis=1)
        ).T[:2]  # fmt: skip
        gains = (alone - other) / sizes.sum()
        drawn = times @ (alone - other) / (times @ sizes)
        both = np.stack([drawn, np.zeros(RESAMPLES)], axis=1)
        by_bootstrap += difference(np.array([gains.sum(), 0.0]), both, units=groups).p < LEVEL
        is_first = np.repeat([True, False], [alone.sum(), other.sum()])
        by_mcnemar += mcnemar(is_first, ~is_first) < LEVEL
    return {
        "paired bootstrap": round(by_bootstrap / REPEATS, 3),
        "mcnemar": round(by_mcnemar / REPEATS, 3),
    }


def spans(found: dict[str, dict[str, float]], name: str) -> list[float]:
    shares = [each[name] for each in found.values()]
    return [min(shares), max(shares)]
