"""The words of a report, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.metrics import METRICS
from featbank.pages.table_style import metric_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.result import Result

_ALWAYS = {
    "95 % interval": "where the score of the same fitted probe would lie on new samples like those "
    "of test, or on new groups where the dataset says which samples are dependent (Wilson's, "
    "its variance from leaving out a group, or a part of many, at a time; results of earlier "
    "releases keep their percentile bootstrap). It leaves out how the score varies with the "
    "training set, the seed and the split; how often it holds the truth was simulated "
    "(docs/intervals.md); a class that fewer than five groups hold has none, nor have "
    "losses and calibration errors",
    "N": "samples that were scored; of a class, those that bear it",
    "Protocol": "a named recipe of a probe: its parameters, what they are chosen on, and what it "
    "is fitted on",
}
_AVERAGES = {
    "Macro": "the mean over classes; classes without a test sample are left out unless the "
    "protocol says otherwise, but not of calibration errors",
    "Micro": "over all decisions at once, so that frequent classes weigh more",
}
_COUNTS = {
    "TP, FP, TN, FN": "true and false positives, true and false negatives of one class against "
    "the rest"
}
_TUNED = {
    "Tuned for F2": "thresholds that maximise F2 of each class on other samples than test's, "
    "instead of 0.5; classes with fewer than 20 positives there share one"
}


def glossary_of(results: Sequence[tuple[Result, ...]]) -> dict[str, str]:
    """What every metric and word of these results means."""
    rows = [row for each in results for row in each]
    metrics = {row.metric for row in rows} & set(METRICS)
    found = {
        _title(name): METRICS[name].summary
        for name in METRICS
        if name in metrics and name not in ("tp", "fp", "tn", "fn")
    }
    found |= _COUNTS if "tp" in metrics else {}
    found |= _AVERAGES if any(row.average for row in rows) else {}
    found |= _TUNED if any(row.threshold == "tuned-f2" for row in rows) else {}
    return dict(sorted({**found, **_ALWAYS}.items(), key=lambda item: item[0].lower()))


def _title(metric: str) -> str:
    name = metric_name(metric)
    return name if name[0].isupper() or name == "mAP" else name.capitalize()
