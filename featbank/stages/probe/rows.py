"""Rows of the results table: every score with the names of all that made it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.features.transfer_store import TransferStore
from featbank.metrics.scoring.calibrated import TEMPERATURE
from featbank.result import Result
from featbank.stages.probe.computing import computed_in, computed_on
from featbank.stages.probe.verdict import TUNED_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from featbank.metrics.scoring.scored import Scored
    from featbank.probes.fitting.sweep import Choice
    from featbank.stages.probe.data import ProbeData
    from featbank.stages.probe.distances import Distances
    from featbank.stages.probe.few_shot import FewShot
    from featbank.stages.probe.probe_run import ProbeRun
    from featbank.stages.probe.unseen_scores import Unseen
    from featbank.stages.probe.verdict import Verdict
    from featbank.store.reader import Store

    Key = tuple[str, str | None, str | None]


class Rows:
    """Makes the rows of one run.

    Args:
        run: The run, after it was fitted: its notes are in every row.
        data: What it read.
        notes: Notes of the verdict.
    """

    def __init__(self, run: ProbeRun, data: ProbeData, notes: Sequence[str] = ()) -> None:
        self._data = data
        self._dtype = partial(
            computed_in, run.probe, run.options.device, dim=data.features.shape[1]
        )
        self._head = run.headline(data)
        attributes = run.store.attributes
        self._fixed: dict[str, Any] = {
            "split_scheme": run.scheme,
            "split_alias": run.alias,
            "buffer_m": run.options.buffer,
            **_as_columns(data.distances),
            "label_set": run.label_set,
            "probe": run.probe.name,
            "protocol": run.protocol.name,
            "feature": run.feature,
            "layer": run.layer,
            "seed": run.options.seed,
            "resampled": "sample" if data.groups is None else "group",
            "model": attributes["model"],
            "weights": attributes["weights"],
            "dataset": attributes["dataset"],
            **_paths(run.store),
            "recipe": attributes["recipe_id"],
            "labels_sha256": attributes["labels_sha256"],
            "result": run.result_id,
            "device": computed_on(run.probe, run.options.device),
            "note": "; ".join((*run.notes, *notes)),
        }

    def of_probe(
        self, choice: Choice, verdict: Verdict, spread: Mapping[Key, tuple[int, float]]
    ) -> list[Result]:
        """The headline, its value on validation, all other metrics, and tuned thresholds."""
        self._fixed["params"] = _as_json(choice.params)
        self._fixed["dtype"] = self._dtype(choice.params)
        rows = [self._on_test(item, spread) for item in verdict.scored]
        rows = [_where_fitted(row, verdict.unseen) for row in rows]
        rows.sort(key=lambda row: not row.selected)
        return [
            rows[0],
            self._on_validation(choice),
            *rows[1:],
            *self._thresholds(verdict),
        ]

    def of_candidates(self, found: Iterable[tuple[Mapping[str, Any], float]]) -> list[Result]:
        """The headline metric of each candidate on test, none of them chosen."""
        return [self._headline(value, params=_as_json(params)) for params, value in found]

    def of_few_shot(self, found: Sequence[FewShot]) -> list[Result]:
        """The mean and spread of each number of shots, the greatest number first."""
        rows = [
            self._headline(
                float(each.values.mean()),
                params=_as_json(each.params),
                dtype=self._dtype(each.params),
                shots=each.shots,
                seeds=len(each.values),
                seed_sd=deviation(each.values),
                n_train=each.n_train,
                **_as_columns(each.distances),
            )
            for each in sorted(found, key=lambda each: -each.shots)
        ]
        return [replace(row, selected=i == 0) for i, row in enumerate(rows)]

    def _headline(self, value: float, **more: Any) -> Result:  # noqa: ANN401
        return Result(
            metric=self._head.metric,
            average=self._head.average,
            threshold=self._head.threshold,
            value=value,
            n=len(self._data.rows["test"]),
            n_invalid=self._data.refused,
            split="test",
            **(self._fixed | {"n_train": len(self._data.rows["final"])} | more),
        )

    def _on_test(self, item: Scored, spread: Mapping[Key, tuple[int, float]]) -> Result:
        is_aggregate = item.class_index is None and item.by is None
        key = (item.metric, item.average, item.threshold)
        seeds, deviation = spread.get(key, (1, None)) if is_aggregate else (1, None)
        return Result(
            **self._fixed,
            metric=item.metric,
            value=item.value,
            low=item.low,
            high=item.high,
            n=item.n,
            n_invalid=self._data.refused,
            n_train=len(self._data.rows["final"]),
            split="test",
            class_name=None if item.class_index is None else self._data.classes[item.class_index],
            average=item.average,
            threshold=item.threshold,
            by=item.by,
            by_value=item.by_value,
            seeds=seeds,
            seed_sd=deviation,
            selected=is_aggregate and self._head.is_that_of(*key),
        )

    def _on_validation(self, choice: Choice) -> Result:
        return Result(
            **self._fixed,
            metric=self._head.metric,
            average=self._head.average,
            threshold=self._head.threshold,
            value=max(score for score in choice.scores if score == score),
            n=len(self._data.rows["val"]),
            n_invalid=0,
            n_train=len(self._data.rows["train"]),
            split="val",
        )

    def _thresholds(self, verdict: Verdict) -> Iterator[Result]:
        if verdict.tuned is None:
            return
        tuned = verdict.tuned
        for name, value, n in zip(self._data.classes, tuned.values, tuned.positives, strict=True):
            yield Result(
                **self._fixed,
                metric="threshold",
                value=float(value),
                n=int(n),
                n_invalid=0,
                n_train=verdict.unseen.n_train,
                split=verdict.unseen.split,
                class_name=name,
                threshold=TUNED_NAME,
            )


def _where_fitted(row: Result, unseen: Unseen) -> Result:
    """A temperature is of the samples that it was fitted on, all else of test."""
    if row.metric != TEMPERATURE:
        return row
    return replace(row, split=unseen.split, n_train=unseen.n_train)


def _as_columns(found: Distances) -> dict[str, float | None]:
    return {"distance_min_m": found.smallest_m, "distance_median_m": found.median_m}


def _paths(store: Store) -> dict[str, Any]:
    """Where the features stand: of the fitted samples, and of the scored ones where elsewhere."""
    if isinstance(store, TransferStore):
        return {"store": str(store.train.path), "test_store": str(store.test.path)}
    return {"store": str(store.path)}


def spread_of(fits: Sequence[Sequence[Scored]]) -> dict[Key, tuple[int, float]]:
    """Number of fits and standard deviation of each aggregate over them; nothing of one fit.

    Args:
        fits: Scores of fits that differ by their seed alone.
    """
    values: dict[Key, list[float]] = {}
    for scored in fits:
        for item in scored:
            if item.class_index is None and item.by is None:
                values.setdefault((item.metric, item.average, item.threshold), []).append(
                    item.value
                )
    found = {key: (len(each), deviation(np.array(each))) for key, each in values.items()}
    return {key: (n, sd) for key, (n, sd) in found.items() if sd is not None}


def deviation(values: np.ndarray[Any, Any]) -> float | None:
    """Standard deviation of a sample; None of fewer than two values."""
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _as_json(params: Mapping[str, Any]) -> str:
    return json.dumps(dict(params), sort_keys=True)
