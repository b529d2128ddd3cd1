"""Probing a store: fit on train, choose on validation, refit on both, score once on test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.bank.bank import Bank
from featbank.bank.results import Predictions, write_predictions, write_results
from featbank.errors import UsageError
from featbank.probes import PROBES
from featbank.stages.finding import find_store
from featbank.stages.probe_options import ProbeOptions
from featbank.stages.probe_rows import result_rows
from featbank.stages.probe_run import ProbeRun
from featbank.stages.probe_verdict import judge
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from featbank.image import Array
    from featbank.probes import ProbeSpec
    from featbank.result import Result

__all__ = ["ProbeOptions", "ProbeReport", "probe_store"]


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """What a probe gave.

    Attributes:
        results: Rows, the headline first.
        classes: K class names.
        confusion: (K, K) counts on test, truth in rows; None where a sample may bear several
            labels.
        results_path: Where the rows stand.
        predictions_path: Where the predictions stand.
    """

    results: list[Result]
    classes: tuple[str, ...]
    confusion: Array | None
    results_path: Path
    predictions_path: Path


def probe_store(
    options: ProbeOptions, *, progress: Callable[[int, int], None] | None = None
) -> ProbeReport:
    """Fit and score one probe on one store, and keep results and predictions in the bank.

    Raises:
        FeatbankError: An unknown name, an unfinished store, or splits without samples.
    """
    spec = PROBES[options.clf]
    _require_known(spec, options.params)
    bank = Bank(options.bank)
    found = find_store(bank, store=options.store, model=options.model, dataset=options.dataset)
    store = Store(found)
    if options.confusion:
        _require_one_class(store, store.label_set_name(options.labels))
    run = ProbeRun(spec, store, options)
    choice = run.choose(progress)
    scores = run.final_scores(choice)
    verdict = judge(run.data, scores, choice, resamples=options.resamples, seed=options.seed)
    rows = run.data.rows["test"]
    predictions = Predictions(
        ids=run.store.ids[rows],
        split="test",
        truth=run.data.labels[rows],
        scores=scores,
        classes=run.data.classes,
        thresholds=verdict.thresholds,
    )
    results = result_rows(run, choice, verdict)
    return ProbeReport(
        results=results,
        classes=run.data.classes,
        confusion=verdict.confusion,
        results_path=write_results(bank, results),
        predictions_path=write_predictions(bank, run.result_id, predictions),
    )


def _require_known(spec: ProbeSpec, params: Mapping[str, Any]) -> None:
    unknown = [name for name in params if name not in spec.defaults]
    if unknown:
        raise UsageError(
            f"--{unknown[0]}",
            f"probe '{spec.name}' has no such parameter",
            f"one of {', '.join(spec.defaults)}",
            f"Leave --{unknown[0]} out.",
        )


def _require_one_class(store: Store, label_set: str) -> None:
    if store.labels(label_set).ndim != 1:
        raise UsageError(
            "--confusion",
            f"a sample may bear several labels of '{label_set}'",
            "a label set with one class a sample",
            "Leave --confusion out or choose another set with --labels.",
        )
