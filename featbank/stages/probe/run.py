"""Probing a store: candidates are fitted, the best is chosen, fitted again and scored on test.

Fitted on what, chosen on what: that is the protocol's, see ``ProtocolSpec``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from featbank.bank.bank import Bank
from featbank.bank.results import (
    Predictions,
    read_predictions,
    read_result,
    write_predictions,
    write_results,
)
from featbank.bank.saved_probes import is_saved, probe_folder
from featbank.errors import UsageError
from featbank.metrics.headline_score import as_kept
from featbank.metrics.scoring.confusion import confusion_matrix
from featbank.probes.fitting.device import computing_on
from featbank.stages.probe.few_shot import few_shot
from featbank.stages.probe.options import ProbeOptions, protocols_asked, require_numbers
from featbank.stages.probe.probe_run import ProbeRun
from featbank.stages.probe.rows import Rows, spread_of
from featbank.stages.probe.saved_probe import require_savable, save_probe
from featbank.stages.probe.source import probe_source
from featbank.stages.probe.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.image import Array
    from featbank.probes.protocols import ProtocolSpec
    from featbank.result import Result
    from featbank.stages.probe.data import ProbeData
    from featbank.stages.probe.unseen_scores import Unseen
    from featbank.stages.probe.verdict import Verdict
    from featbank.store.reader import Store

    Progress = Callable[[int, int], None]

__all__ = ["ProbeOptions", "ProbeReport", "probe_one", "probe_store"]


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """What a probe gave.

    Attributes:
        results: Rows, the headline first.
        classes: K class names; () of a few-shot run.
        confusion: (K, K) counts on test, truth in rows; None where a sample may bear several
            labels, and of a few-shot run.
        results_path: Where the rows stand.
        predictions_path: Where the predictions stand; None of a few-shot run.
        is_new: Whether it was fitted just now, not found in the bank.
        saved_path: Folder of the saved probe; None where none was asked for.
    """

    results: list[Result]
    classes: tuple[str, ...]
    confusion: Array | None
    results_path: Path
    predictions_path: Path | None
    is_new: bool = True
    saved_path: Path | None = None


def probe_store(options: ProbeOptions, *, progress: Progress | None = None) -> ProbeReport:
    """Fit and score one protocol on one store, and keep results and predictions in the bank.

    A result that stands in the bank is read, not fitted again, unless the options say so.

    Raises:
        FeatbankError: An unknown name, an unfinished store, or splits without samples.
    """
    require_numbers(options)
    (protocol, *others) = protocols_asked(options.clf, options.protocol)
    if others:
        raise UsageError(
            f"--protocol {options.protocol}",
            f"it stands for {len(others) + 1} protocols",
            "one",
            f"Name one of {', '.join(spec.name for spec in (protocol, *others))}.",
        )
    return probe_one(protocol, probe_source(options), options, progress=progress)


def probe_one(
    protocol: ProtocolSpec,
    store: Store,
    options: ProbeOptions,
    *,
    progress: Progress | None = None,
) -> ProbeReport:
    """``probe_store`` of one protocol and an open store.

    Raises:
        FeatbankError: As ``probe_store``.
    """
    bank = Bank(options.bank)
    run = ProbeRun(protocol, store, options)
    if options.confusion:
        _require_one_class(store, run.label_set)
    if options.save:
        require_savable(run)
    # Without its predictions a result is half of one; few-shot runs keep none.
    has_predictions = bool(options.shots) or bank.predictions_path(run.result_id).exists()
    is_there = bank.result_path(run.result_id).exists() and has_predictions
    if is_there and not options.again and (not options.save or is_saved(bank, run.result_id)):
        saved = probe_folder(bank, run.result_id) if options.save else None
        return replace(_found(bank, run.result_id), saved_path=saved)
    with computing_on(options.device):
        return _probed(run, bank, progress)


def _probed(run: ProbeRun, bank: Bank, progress: Progress | None) -> ProbeReport:
    data = run.read()
    if run.options.shots:
        rows = Rows(run, data)
        found = rows.of_few_shot(few_shot(run, data, progress))
        return ProbeReport(
            results=found,
            classes=(),
            confusion=None,
            results_path=write_results(bank, found),
            predictions_path=None,
        )
    return _fit(run, data, bank, progress)


def _fit(run: ProbeRun, data: ProbeData, bank: Bank, progress: Progress | None) -> ProbeReport:
    choice = run.choose(data, progress)
    fits = run.final_fits(data, choice.params, seeds=run.seeds, progress=progress)
    classifier, scores = next(fits)
    if not getattr(classifier, "converged_", True):
        run.notes.append("the solver stopped before it converged")
    unseen = run.unseen(data, choice)
    verdict = _verdict(run, data, unseen, scores)
    again = partial(judge, data, resamples=0, seed=0, absent=run.absent, top=run.protocol.top)
    others = [again(scores=other, unseen=unseen) for _, other in fits]
    rows = Rows(run, data, verdict.notes)
    spread = spread_of([verdict.scored, *(other.scored for other in others)])
    results = rows.of_probe(choice, verdict, spread)
    if run.protocol.tells_all:
        results += rows.of_candidates(_every(run, data))
    predictions = Predictions(
        ids=run.store.ids[data.rows["test"]],
        split="test",
        truth=data.labels[data.rows["test"]],
        scores=as_kept(scores),
        classes=data.classes,
        thresholds=verdict.thresholds,
    )
    saved = None
    if run.options.save:
        saved = save_probe(bank, run, data, classifier, verdict=verdict, headline=results[0])
    return ProbeReport(
        results=results,
        classes=data.classes,
        confusion=verdict.confusion,
        # Predictions first: a result in the bank says that both are there.
        predictions_path=write_predictions(bank, run.result_id, predictions),
        results_path=write_results(bank, results),
        saved_path=saved,
    )


def _verdict(run: ProbeRun, data: ProbeData, unseen: Unseen, scores: Array) -> Verdict:
    return judge(
        data,
        scores,
        unseen,
        resamples=run.resamples,
        seed=run.options.seed,
        absent=run.absent,
        top=run.protocol.top,
        by={name: values[data.rows["test"]] for name, values in run.by.items()},
    )


def _every(run: ProbeRun, data: ProbeData) -> list[tuple[dict[str, object], float]]:
    truth = data.labels[data.rows["test"]]
    return [
        (dict(params), run.headline(data).score(truth, scores, absent=run.absent))
        for params, scores in run.every_candidate(data)
    ]


def _found(bank: Bank, result: str) -> ProbeReport:
    """A report from what stands in the bank."""
    path = bank.predictions_path(result)
    results = read_result(bank.result_path(result))
    if not path.exists():
        return ProbeReport(
            results=results,
            classes=(),
            confusion=None,
            results_path=bank.result_path(result),
            predictions_path=None,
            is_new=False,
        )
    predictions = read_predictions(path)
    return ProbeReport(
        results=results,
        classes=tuple(predictions.classes),
        confusion=_confusion(predictions),
        results_path=bank.result_path(result),
        predictions_path=path,
        is_new=False,
    )


def _confusion(predictions: Predictions) -> Array | None:
    if predictions.truth.ndim == 2:
        return None
    return confusion_matrix(
        predictions.truth, predictions.predicted, n_classes=len(predictions.classes)
    )


def _require_one_class(store: Store, label_set: str) -> None:
    if store.labels(label_set).ndim != 1:
        raise UsageError(
            "--confusion",
            f"a sample may bear several labels of '{label_set}'",
            "a label set with one class a sample",
            "Leave --confusion out or choose another set with --labels.",
        )
