"""Applying a saved probe to a store or to new images, and writing what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import Bank
from featbank.bank.prediction_files import (
    LABELS_BETWEEN,
    require_out,
    require_replaceable,
    write_predictions_file,
)
from featbank.bank.saved_probes import find_probe
from featbank.device import require_device
from featbank.errors import UsageError
from featbank.probes.fitting.device import computing_on
from featbank.recipes.recipe import short_id
from featbank.stages.predict.options import PredictOptions
from featbank.stages.predict.source import predict_source
from featbank.stages.predict.table import as_table, predict_store, thresholds_of
from featbank.stages.probe.saved_probe import load_probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.image import Array
    from featbank.sources.opening import FetchProgress
    from featbank.stages.predict.source import Source
    from featbank.stages.predict.table import Predicted
    from featbank.stages.probe.saved_probe import SavedProbe

    Progress = Callable[[int, int], None]
    Tell = Callable[[str], None]

__all__ = ["PredictOptions", "PredictReport", "Prediction", "plan_prediction", "predict"]

_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class PredictReport:
    """What a probe said of a store.

    Attributes:
        probe: Id of its result.
        path: File that was written; None where none was asked for.
        store: The store that was predicted.
        n: Its samples.
        n_invalid: Those without a prediction.
        shares: Share of the predicted samples by class, greatest first; of several labels they
            need not sum to 1.
        certainty: Mean probability of the most probable class; mean number of labels a sample
            where it may bear several.
        threshold: Name of the thresholds that decided; None for one class a sample.
        notes: What a reader must know.
        table: ``pyarrow.Table`` of all rows.
    """

    probe: str
    path: Path | None
    store: Path
    n: int
    n_invalid: int
    shares: dict[str, float]
    certainty: float
    threshold: str | None
    notes: tuple[str, ...]
    table: Any = field(repr=False, compare=False)

    def sentence(self) -> str:
        """What was done, in one line."""
        done = self.n - self.n_invalid
        refused = f", {self.n_invalid} refused" if self.n_invalid else ""
        head = f"{self.path or self.store}: {done} of {self.n} samples predicted{refused}"
        if not done:
            return f"{head}."
        named = list(self.shares.items())[:_SHOWN]
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in named)
        if self.threshold is None:
            return f"{head}: {shares}; mean top probability {self.certainty:.2f}."
        return f"{head} at {self.threshold}: {shares}; {self.certainty:.1f} labels a sample."


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A prediction that is settled: nothing is embedded or written yet.

    Attributes:
        options: As the user said.
        saved: The probe.
        source: What it is applied to.
        out: File to write; None for none.
        threshold: Name of the thresholds that decide; None for one class a sample.
        limits: Their (K,) values.
    """

    options: PredictOptions
    saved: SavedProbe
    source: Source
    out: Path | None
    threshold: str | None
    limits: Array | None


def plan_prediction(
    options: PredictOptions, *, progress: FetchProgress | None = None
) -> Prediction:
    """Settle a prediction: find the probe, and hold the source and the file against it.

    Args:
        options: As the user said.
        progress: Takes the step of a download, its bytes done and in all.

    Raises:
        FeatbankError: No such probe or source, a source that is embedded in another way, or a
            file that cannot be written.
    """
    require_device(options.device)
    with computing_on(options.device):
        # A saved probe is tried as it is read.
        saved = load_probe(find_probe(Bank(options.bank), options.probe))
    threshold, limits = thresholds_of(saved, options.threshold)
    if options.write and options.out is not None:
        _require_out(options.out, saved)
    source = predict_source(saved, options, progress)
    out = options.out or _default_out(options.bank, source.dataset, saved.result)
    plan = Prediction(
        options=options,
        saved=saved,
        source=source,
        out=out if options.write else None,
        threshold=threshold,
        limits=limits,
    )
    if plan.out is not None:
        _require_out(plan.out, saved)
        if not options.overwrite:
            require_replaceable(plan.out, _provenance(plan))
    return plan


def predict(
    plan: Prediction,
    *,
    tell: Tell = lambda _: None,
    progress: Progress | None = None,
) -> PredictReport:
    """Apply a saved probe, embedding images first as the recipe of its store says.

    Args:
        plan: What to apply to what.
        tell: Takes lines that a person should see.
        progress: Takes rows embedded and rows to embed; None where nobody looks.

    Raises:
        FeatbankError: As ``embed_dataset``; or the store lacks what the probe reads.
    """
    saved = plan.saved
    store = plan.source.open(tell=tell, progress=progress)
    with computing_on(plan.options.device):
        found = predict_store(saved, store, plan.limits)
    table = as_table(found, saved.classes)
    if plan.out is not None:
        write_predictions_file(plan.out, table, _provenance(plan), lonlat=found.lonlat)
    return PredictReport(
        probe=saved.result,
        path=plan.out,
        store=store.path,
        n=len(found.ids),
        n_invalid=int((~found.valid).sum()),
        shares=_shares(found, saved.classes),
        certainty=_certainty(found),
        threshold=plan.threshold,
        notes=plan.source.notes,
        table=table,
    )


def _default_out(bank: Path, dataset: str, result: str) -> Path:
    """Beside the predictions that ``probe`` keeps, made where the bank has no such folder yet."""
    folder = Bank(bank).predictions_path(result).parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{dataset}-{short_id(result)}.csv"


def _require_out(out: Path, saved: SavedProbe) -> None:
    require_out(out)
    split = [name for name in saved.classes if LABELS_BETWEEN in name]
    if out.suffix.lower() == ".csv" and saved.is_multilabel and split:
        raise UsageError(
            f"--out {out}",
            f"class '{split[0]}' holds '{LABELS_BETWEEN}', which stands between labels in CSV",
            "a .parquet file, which holds lists",
            "Name it so.",
        )


def _provenance(plan: Prediction) -> dict[str, Any]:
    saved, source = plan.saved, plan.source
    return {
        "probe": saved.result,
        "featbank": saved.featbank,
        "clf": saved.probe,
        "protocol": saved.protocol,
        "feature": saved.feature,
        "label_set": saved.label_set,
        "classes": list(saved.classes),
        "threshold": plan.threshold,
        "thresholds": {name: np.asarray(v).tolist() for name, v in saved.thresholds.items()},
        "temperature": saved.temperature,
        "headline": dict(saved.headline),
        "recipe": saved.recipe_id,
        "model": saved.recipe.get("model", {}).get("name"),
        "weights": saved.weights,
        "dataset": source.dataset,
        "store_recipe": source.recipe_id,
        "notes": list(source.notes),
    }


def _shares(found: Predicted, classes: tuple[str, ...]) -> dict[str, float]:
    decided, k = found.decided[found.valid], len(classes)
    counts = np.bincount(decided, minlength=k) if decided.ndim == 1 else decided.sum(axis=0)
    shares = counts / max(len(decided), 1)
    order = np.argsort(-shares, kind="stable")
    return {classes[i]: float(shares[i]) for i in order}


def _certainty(found: Predicted) -> float:
    decided = found.decided[found.valid]
    if not len(decided):
        return 0.0
    each = found.scores[found.valid].max(axis=1) if decided.ndim == 1 else decided.sum(axis=1)
    return float(each.mean())
