"""Rows of the results table: every score with the names of all that made it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from featbank.result import Result
from featbank.stages.probe_verdict import TUNED_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.metrics._scored import Scored
    from featbank.probes._sweep import Choice
    from featbank.stages.probe_run import ProbeRun
    from featbank.stages.probe_verdict import Verdict


def result_rows(run: ProbeRun, choice: Choice, verdict: Verdict) -> list[Result]:
    """The headline, its value on validation, all other metrics, and tuned thresholds."""
    fixed = _fixed(run, choice, verdict)
    rows = [_test_row(run, item, verdict, fixed) for item in verdict.scored]
    rows.sort(key=lambda row: not row.selected)
    return [
        rows[0],
        _validation_row(run, choice, verdict, fixed),
        *rows[1:],
        *_threshold_rows(run, verdict, fixed),
    ]


def _test_row(run: ProbeRun, item: Scored, verdict: Verdict, fixed: dict[str, Any]) -> Result:
    data, is_aggregate = run.data, item.class_index is None
    return Result(
        **fixed,
        metric=item.metric,
        value=item.value,
        low=item.low,
        high=item.high,
        n=item.n,
        n_invalid=data.refused,
        n_train=len(data.rows["train"]) + len(data.rows["val"]),
        split="test",
        class_name=None if item.class_index is None else data.classes[item.class_index],
        average=item.average,
        threshold=item.threshold,
        selected=is_aggregate and (item.metric, item.average) == verdict.headline,
    )


def _validation_row(
    run: ProbeRun, choice: Choice, verdict: Verdict, fixed: dict[str, Any]
) -> Result:
    metric, average = verdict.headline
    return Result(
        **fixed,
        metric=metric,
        average=average,
        value=max(score for score in choice.scores if score == score),
        n=len(run.data.rows["val"]),
        n_invalid=0,
        n_train=len(run.data.rows["train"]),
        split="val",
    )


def _threshold_rows(run: ProbeRun, verdict: Verdict, fixed: dict[str, Any]) -> Iterator[Result]:
    if verdict.tuned is None:
        return
    tuned = verdict.tuned
    for name, value, n in zip(run.data.classes, tuned.values, tuned.positives, strict=True):
        yield Result(
            **fixed,
            metric="threshold",
            value=float(value),
            n=int(n),
            n_invalid=0,
            n_train=len(run.data.rows["train"]),
            split="val",
            class_name=name,
            threshold=TUNED_NAME,
        )


def _fixed(run: ProbeRun, choice: Choice, verdict: Verdict) -> dict[str, Any]:
    attributes = run.store.attributes
    return {
        "split_scheme": run.scheme,
        "label_set": run.label_set,
        "probe": run.spec.name,
        "protocol": run.spec.protocol,
        "feature": run.feature,
        "layer": run.layer,
        "params": json.dumps(dict(choice.params), sort_keys=True),
        "seed": run.options.seed,
        "resampled": "sample" if run.data.groups is None else "group",
        "model": attributes["model"],
        "weights": attributes["weights"],
        "dataset": attributes["dataset"],
        "store": str(run.store.path),
        "recipe": attributes["recipe_id"],
        "labels_sha256": attributes["labels_sha256"],
        "result": run.result_id,
        "note": "; ".join((*run.notes, *verdict.notes)),
    }
