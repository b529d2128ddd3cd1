"""Plain counts of each class: true and false positives and negatives."""

from __future__ import annotations

from operator import attrgetter

from featbank.metrics.metric import MetricSpec

SPECS = tuple(
    MetricSpec(
        name=name,
        summary=summary,
        function=attrgetter(name),
        per_class=True,
        has_interval=False,
    )
    for name, summary in (
        ("tp", "samples of the class predicted as it"),
        ("fp", "samples of other classes predicted as it"),
        ("tn", "samples of other classes not predicted as it"),
        ("fn", "samples of the class not predicted as it"),
    )
)
