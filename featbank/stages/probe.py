"""Probing a store: fit on train, choose on validation, refit on both, score once on test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import Bank
from featbank.bank.results import write_predictions, write_results
from featbank.errors import UsageError
from featbank.metrics._confusion import confusion_matrix
from featbank.metrics._scoring import score
from featbank.probes import PROBES
from featbank.probes._sweep import Choice, Labelled, align_scores, choose
from featbank.recipe import recipe_id
from featbank.result import Result
from featbank.stages.finding import find_store
from featbank.stages.probe_data import ProbeData, probe_data
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from featbank.image import Array
    from featbank.metrics._scored import Scored
    from featbank.probes import ProbeSpec

HEADLINE = "accuracy"
# Raised whenever the same probe on the same features would give another number.
ALGORITHM = 1


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """Options of ``featbank probe``.

    Attributes:
        clf: Name of the probe.
        store: Path of the store; None finds it by model and dataset, or takes the newest.
        model: Backbone of the store.
        dataset: Dataset of the store.
        features: ``cls``, ``mean``, ``cls+mean``; None takes the backbone's default.
        layer: Block index; None takes the last one stored.
        labels: Label set; None takes the first.
        split_scheme: Split scheme; None takes the first.
        params: Parameters that are fixed instead of the protocol's own, such as ``k``.
        seed: Seed of the probe, of a carved validation split and of the bootstrap.
        resamples: Bootstrap resamples.
        bank: Folder of the bank.
    """

    clf: str
    store: Path | None = None
    model: str | None = None
    dataset: str | None = None
    features: str | None = None
    layer: int | None = None
    labels: str | None = None
    split_scheme: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    resamples: int = 1000
    bank: Path = Path("bank")


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """What a probe gave.

    Attributes:
        results: Rows, the headline first.
        classes: K class names.
        confusion: (K, K) counts on test, truth in rows.
        results_path: Where the rows stand.
        predictions_path: Where the predictions stand.
    """

    results: list[Result]
    classes: tuple[str, ...]
    confusion: Array
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
    scene = _Scene(spec, store, options)
    choice = scene.choose(progress)
    rows = scene.data.rows
    scores = scene.final_scores(choice)
    truth = scene.data.labels[rows["test"]]
    predicted = scores.argmax(axis=1)
    results = scene.results(choice, _scored(scene, truth, predicted))
    predictions_path = write_predictions(
        bank,
        scene.result_id,
        ids=store.ids[rows["test"]],
        truth=truth,
        scores=scores,
        split="test",
        classes=scene.data.classes,
    )
    return ProbeReport(
        results=results,
        classes=scene.data.classes,
        confusion=confusion_matrix(truth, predicted, n_classes=len(scene.data.classes)),
        results_path=write_results(bank, results),
        predictions_path=predictions_path,
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


def _scored(scene: _Scene, truth: Array, predicted: Array) -> list[Scored]:
    group = scene.store.group
    return score(
        truth,
        predicted,
        n_classes=len(scene.data.classes),
        groups=None if group is None else group[scene.data.rows["test"]],
        resamples=scene.options.resamples,
        seed=scene.options.seed,
    )


class _Scene:
    """One probe on one store: its data, its names, its rows of results."""

    def __init__(self, spec: ProbeSpec, store: Store, options: ProbeOptions) -> None:
        self.spec = spec
        self.store = store
        self.options = options
        self.feature = options.features or store.attributes["default_feature"]
        self.layer = store.layers[-1] if options.layer is None else options.layer
        self.label_set = store.label_set_name(options.labels)
        self.scheme = store.scheme_name(options.split_scheme)
        self.data: ProbeData = probe_data(
            store,
            features=self.feature,
            layer=options.layer,
            label_set=self.label_set,
            scheme=self.scheme,
            seed=options.seed,
        )
        self.result_id = recipe_id(self._recipe())[:16]
        self._notes = [note for note in (self.data.note, *self._store_notes()) if note]

    def _recipe(self) -> dict[str, Any]:
        return {
            "algorithm": ALGORITHM,
            "store": self.store.attributes["recipe_id"],
            "labels": self.store.attributes["labels_sha256"],
            "probe": self.spec.name,
            "protocol": self.spec.protocol,
            "params": dict(self.options.params),
            "feature": self.feature,
            "layer": self.layer,
            "label_set": self.label_set,
            "split_scheme": self.scheme,
            "seed": self.options.seed,
            "resamples": self.options.resamples,
        }

    def _store_notes(self) -> list[str]:
        weights, fitted = self.store.attributes["weights"], self.store.attributes["fitted_scheme"]
        return [
            f"weights: {weights}" if weights.startswith("random") else "",
            f"statistics were fitted on train of '{fitted}', not of '{self.scheme}'"
            if fitted and fitted != self.scheme
            else "",
        ]

    def labelled(self, *splits: str) -> Labelled:
        rows = np.concatenate([self.data.rows[name] for name in splits])
        return Labelled(
            features=self.data.features[rows],
            labels=self.data.labels[rows],
            n_classes=len(self.data.classes),
        )

    def choose(self, progress: Callable[[int, int], None] | None) -> Choice:
        return choose(
            self.spec,
            fit_data=self.labelled("train"),
            score_data=self.labelled("val"),
            params=self.options.params,
            seed=self.options.seed,
            scorer=_accuracy,
            progress=progress,
        )

    def final_scores(self, choice: Choice) -> Array:
        """(n, K) test probabilities of the probe refitted on train and validation."""
        fit, test = self.labelled("train", "val"), self.labelled("test")
        classifier = self.spec.build(choice.params, self.options.seed)
        classifier.fit(fit.features, fit.labels)
        if not getattr(classifier, "converged_", True):
            self._notes.append("the solver stopped before it converged")
        probabilities = classifier.predict_proba(test.features)
        return align_scores(probabilities, classifier.classes_, fit.n_classes)

    def results(self, choice: Choice, scored: list[Scored]) -> list[Result]:
        self._note_edges(choice)
        fixed = self._fixed(choice)
        rows = [self._row(item, fixed) for item in scored]
        rows.sort(key=lambda row: not row.selected)
        validation = Result(
            **fixed
            | {
                "metric": HEADLINE,
                "value": max(choice.scores),
                "n": len(self.data.rows["val"]),
                "n_invalid": 0,
                "n_train": len(self.data.rows["train"]),
                "split": "val",
            }
        )
        return [rows[0], validation, *rows[1:]]

    def _row(self, item: Scored, fixed: dict[str, Any]) -> Result:
        return Result(
            **fixed,
            metric=item.metric,
            value=item.value,
            low=item.low,
            high=item.high,
            n=item.n,
            n_invalid=self.data.refused,
            n_train=len(self.data.rows["train"]) + len(self.data.rows["val"]),
            split="test",
            class_name=None if item.class_index is None else self.data.classes[item.class_index],
            average=item.average,
            selected=item.metric == HEADLINE,
        )

    def _fixed(self, choice: Choice) -> dict[str, Any]:
        attributes = self.store.attributes
        return {
            "split_scheme": self.scheme,
            "label_set": self.label_set,
            "probe": self.spec.name,
            "protocol": self.spec.protocol,
            "feature": self.feature,
            "layer": self.layer,
            "params": json.dumps(dict(choice.params), sort_keys=True),
            "seed": self.options.seed,
            "resampled": "sample" if self.store.group is None else "group",
            "model": attributes["model"],
            "weights": attributes["weights"],
            "dataset": attributes["dataset"],
            "store": str(self.store.path),
            "recipe": attributes["recipe_id"],
            "labels_sha256": attributes["labels_sha256"],
            "result": self.result_id,
            "note": "; ".join(self._notes),
        }

    def _note_edges(self, choice: Choice) -> None:
        if len(choice.candidates) < 2:
            return
        swept = [n for n, v in choice.params.items() if any(c[n] != v for c in choice.candidates)]
        for name in swept:
            values = [candidate[name] for candidate in choice.candidates]
            if choice.params[name] in (min(values), max(values)):
                self._notes.append(f"the best {name} is at the edge of its grid")


def _accuracy(truth: Array, scores: Array) -> float:
    return float((scores.argmax(axis=1) == truth).mean())
