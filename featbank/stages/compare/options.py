"""What a user may ask of ``featbank compare``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# The least p-value is 2 / (resamples + 1); it must stay below .05 after Holm for many pairs.
RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Options of ``featbank compare``.

    Attributes:
        results: Ids of results, or their first digits; () takes all that the names below leave.
        dataset: Dataset of the results.
        model: Backbone.
        probe: Probe.
        protocol: Protocol.
        labels: Label set.
        split_scheme: Split scheme.
        features: Features that the probe saw.
        metric: Name in the metrics catalog; None takes the headline's.
        average: Which aggregate of it; None takes the first, mostly ``macro``.
        threshold: Which thresholds make decisions on labels.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
        bank: Folder of the bank.
    """

    results: tuple[str, ...] = ()
    dataset: str | None = None
    model: str | None = None
    probe: str | None = None
    protocol: str | None = None
    labels: str | None = None
    split_scheme: str | None = None
    features: str | None = None
    metric: str | None = None
    average: str | None = None
    threshold: str = "0.5"
    resamples: int = RESAMPLES
    seed: int = 0
    bank: Path = Path("bank")
