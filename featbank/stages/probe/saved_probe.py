"""What is kept of a fitted probe, so that it predicts other images years later."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.backbones import BACKBONES
from featbank.bank.bank import bank_of
from featbank.bank.fitted_states import read_state
from featbank.bank.saved_probes import read_probe, write_probe
from featbank.errors import ProbeError, StoreError, UsageError
from featbank.probes.fitting.saving import as_saved, from_saved
from featbank.probes.fitting.sweep import align_scores
from featbank.sources.state_fitting import state_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.bank.bank import Bank
    from featbank.image import Array
    from featbank.probes import Classifier
    from featbank.result import Result
    from featbank.stages.probe.data import ProbeData
    from featbank.stages.probe.probe_run import ProbeRun
    from featbank.stages.probe.verdict import Verdict
    from featbank.store.reader import Store

# The metric that tells it among the scores of a verdict.
_TEMPERATURE = "temperature"
_CLASSIFIER, _STATE, _THRESHOLDS = "classifier/", "state/", "thresholds/"


@dataclass(frozen=True, kw_only=True)
class SavedProbe:
    """A fitted probe with all that it takes to predict.

    Attributes:
        result: Id of its result.
        featbank: Version that saved it.
        probe: Name in the probes catalog.
        protocol: Named recipe of the probe.
        seed: Seed of the fit.
        label_set: Nomenclature of the labels.
        classes: K class names.
        is_multilabel: Whether a sample may bear several labels.
        thresholds: (K,) thresholds by name; none for one class a sample.
        temperature: Of the calibration on unseen samples; None where there is none.
        feature: Features that it reads, as results name them.
        parts: Name and block index of each feature, in the order of the columns.
        dim: D, their columns.
        recipe: Embed recipe of the store that it was fitted on.
        recipe_id: Its id.
        weights: Origin of the backbone's weights, in words.
        fitted_scheme: Split scheme that statistics were fitted on; '' where nothing was.
        headline: Metric, average, value and number of samples of the headline row.
        constant: Probability of the only label, where it never or always held; else None.
        classifier: The fitted classifier; None where ``constant`` says all.
        state: State of a backbone that is fitted on train chips; empty for all others.
    """

    result: str
    featbank: str
    probe: str
    protocol: str
    seed: int
    label_set: str
    classes: tuple[str, ...]
    is_multilabel: bool
    thresholds: Mapping[str, Array] = field(default_factory=dict)
    temperature: float | None = None
    feature: str
    parts: tuple[tuple[str, int], ...]
    dim: int
    recipe: Mapping[str, Any]
    recipe_id: str
    weights: str = ""
    fitted_scheme: str = ""
    headline: Mapping[str, Any] = field(default_factory=dict)
    constant: float | None = None
    classifier: Classifier | None = None
    state: Mapping[str, Array] = field(default_factory=dict)

    def scores(self, X: Array) -> Array:
        """Probabilities (n, K) over all K classes of features (n, D)."""
        if self.classifier is None:
            return np.full((len(X), 1), self.constant)
        found = self.classifier.predict_proba(X)
        if self.is_multilabel and len(self.classes) == 1:
            # A single label is fitted as two classes, no and yes.
            return found[:, 1:]
        return align_scores(found, self.classifier.classes_, len(self.classes))


def require_savable(run: ProbeRun) -> None:
    """Refuse before any fit what could not be saved.

    Raises:
        UsageError: Several probes, or a probe on several stores.
        StoreError: The state of the store's backbone is not kept.
    """
    if run.options.shots:
        raise UsageError(
            "--save", "--shots fits many probes", "one probe", "Leave --save or --shots out."
        )
    parts = getattr(run.store, "parts", ())
    if parts:
        raise UsageError(
            "--save",
            f"the probe reads {len(parts)} stores",
            "one store, whose recipe other images can follow",
            "Leave --save out, or probe one store.",
        )
    _fitted_state(run.store)


def save_probe(
    bank: Bank,
    run: ProbeRun,
    data: ProbeData,
    classifier: Classifier | None,
    *,
    verdict: Verdict,
    headline: Result,
) -> Path:
    """Keep a fitted probe in the bank.

    Args:
        bank: Where.
        run: The run that fitted it.
        data: What it was fitted on.
        classifier: The scored one; None for a single label that never or always held.
        verdict: Its scores, with the thresholds.
        headline: Its headline row.

    Returns:
        The folder.
    """
    attributes = run.store.attributes
    saved = SavedProbe(
        result=run.result_id,
        featbank=version("featbank"),
        probe=run.probe.name,
        protocol=run.protocol.name,
        seed=run.options.seed,
        label_set=run.label_set,
        classes=data.classes,
        is_multilabel=data.is_multilabel,
        thresholds=verdict.thresholds,
        temperature=_temperature(verdict),
        feature=run.feature,
        parts=_parts(run.feature, run.layer),
        dim=data.features.shape[1],
        recipe=attributes["recipe"],
        recipe_id=attributes["recipe_id"],
        weights=attributes["weights"],
        fitted_scheme=attributes["fitted_scheme"],
        headline=_headline(headline),
        constant=_constant(data) if classifier is None else None,
        classifier=classifier,
        state=_fitted_state(run.store),
    )
    record, arrays = _as_files(saved)
    return write_probe(bank, run.result_id, record, arrays)


def load_probe(folder: Path) -> SavedProbe:
    """A saved probe.

    Raises:
        MissingPathError: It is not there.
        ProbeError: Its files are damaged, or of another or a newer program.
    """
    record, arrays = read_probe(folder)
    subject = str(folder)
    try:
        saved = _from_files(record, arrays, subject)
        _require_coherent(saved)
    except ProbeError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ProbeError(
            subject,
            f"does not hold a whole probe ({error})",
            "what 'featbank probe --save' of this version writes",
            "Fit and save it again.",
        ) from error
    return saved


def _require_coherent(saved: SavedProbe) -> None:
    """Raise ``ValueError`` where the parts do not fit together."""
    if any(len(values) != len(saved.classes) for values in saved.thresholds.values()):
        raise ValueError("its thresholds are not one a class")
    found = saved.scores(np.zeros((1, saved.dim), np.float32))
    if found.shape != (1, len(saved.classes)):
        raise ValueError("its probabilities are not one a class")


def _as_files(saved: SavedProbe) -> tuple[dict[str, Any], dict[str, Array]]:
    arrays: dict[str, Array] = {}
    record: dict[str, Any] = {
        name: value
        for name, value in vars(saved).items()
        if name not in ("classifier", "state", "thresholds")
    }
    record["thresholds"] = list(saved.thresholds)
    for name, values in saved.thresholds.items():
        arrays[f"{_THRESHOLDS}{name}"] = np.asarray(values, np.float64)
    if saved.classifier is not None:
        own, record["classifier"] = as_saved(saved.classifier)
        arrays |= {f"{_CLASSIFIER}{name}": values for name, values in own.items()}
    for name, values in saved.state.items():
        arrays[f"{_STATE}{name}"] = np.ascontiguousarray(values)
    return record, arrays


def _from_files(record: Mapping[str, Any], arrays: Mapping[str, Array], subject: str) -> SavedProbe:
    own = {name for name in SavedProbe.__dataclass_fields__ if name in record}
    found = {name: record[name] for name in own - {"classifier"}}
    found["classes"] = tuple(record["classes"])
    found["parts"] = tuple((str(name), int(layer)) for name, layer in record["parts"])
    limits = _under(_THRESHOLDS, arrays)
    found["thresholds"] = {name: limits[name] for name in record["thresholds"]}
    if "classifier" in record:
        found["classifier"] = from_saved(
            record["classifier"],
            _under(_CLASSIFIER, arrays),
            probe=record["probe"],
            subject=subject,
        )
    return SavedProbe(**found, state=_under(_STATE, arrays))


def _under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _parts(feature: str, layer: int) -> tuple[tuple[str, int], ...]:
    """Name and block index of each part of ``cls+mean`` or ``cls@8+cls@11``."""
    parts = (part.partition("@") for part in feature.split("+"))
    return tuple((name, int(block) if block else layer) for name, _, block in parts)


def _headline(row: Result) -> dict[str, Any]:
    return {
        "metric": row.metric,
        "average": row.average,
        # JSON knows no NaN.
        "value": None if math.isnan(row.value) else row.value,
        "n": row.n,
        "split_scheme": row.split_scheme,
    }


def _temperature(verdict: Verdict) -> float | None:
    """What was fitted on validation, where the verdict tells it: one number for all classes."""
    rows = (item for item in verdict.scored if item.metric == _TEMPERATURE)
    return next((float(item.value) for item in rows if math.isfinite(item.value)), None)


def _constant(data: ProbeData) -> float:
    return float(data.labels[data.rows["final"]][0, 0])


def _fitted_state(store: Store) -> dict[str, Array]:
    """State of a backbone that is fitted on train chips, from the bank of its store.

    Raises:
        StoreError: The bank does not hold it.
    """
    model = store.attributes["recipe"].get("model", {})
    name = model.get("name", "")
    if name not in BACKBONES or BACKBONES[name].fit is None:
        return {}
    state = read_state(bank_of(store.path), model["weights_sha256"])
    if state is None or state_sha256(state) != model["weights_sha256"]:
        raise StoreError(
            str(store.path),
            f"its bank does not keep the fitted state of model '{name}', which --save needs",
            f"state {model['weights_sha256'][:12]}… as 'featbank embed' keeps it",
            f"Run '{store.attributes['command']}' once more, which embeds nothing twice.",
        )
    return state
