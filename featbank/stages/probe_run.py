"""One probe on one store: what it reads, how it is chosen, and its probabilities on test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import ProbeError
from featbank.probes._sweep import Choice, Labelled, choose, fitted, predict
from featbank.recipe import recipe_id
from featbank.stages.probe_data import ProbeData, probe_data
from featbank.stages.probe_verdict import headline_score
from featbank.stages.weights import UNTRAINED

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.image import Array
    from featbank.probes import ProbeSpec
    from featbank.stages.probe_options import ProbeOptions
    from featbank.store.reader import Store

# Raised whenever the same probe on the same features would give another number.
ALGORITHM = 1


class ProbeRun:
    """A probe, a store and the options that join them.

    Args:
        spec: The probe.
        store: Features, labels and splits.
        options: What the user asked for; the store's defaults fill the gaps.

    Attributes:
        feature: Features that the probe sees.
        layer: Block index that they come from.
        label_set: Nomenclature of the labels.
        scheme: Split scheme.
        data: Features, labels and rows.
        result_id: Id of the result, a hash of all that decides it.
        notes: What a reader must know beside the numbers; grows as the probe is fitted.
    """

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
        self.notes = [note for note in (self.data.note, *self._store_notes()) if note]

    def choose(self, progress: Callable[[int, int], None] | None) -> Choice:
        """Parameters that are best on validation, of a probe fitted on train."""
        choice = choose(
            self.spec,
            fit_data=self._labelled("train"),
            score_data=self._labelled("val"),
            params=self.options.params,
            seed=self.options.seed,
            scorer=headline_score,
            progress=progress,
        )
        self._note_edges(choice)
        return choice

    def final_scores(self, choice: Choice) -> Array:
        """(n, K) test probabilities of the probe refitted on train and validation.

        Raises:
            ProbeError: The refitted probe gives probabilities that are not finite.
        """
        fit_data = self._labelled("train", "val")
        (classifier,) = fitted(self.spec, [(choice.params, self.options.seed)], fit_data)
        scores = predict(classifier, self._labelled("test").features, fit_data)
        if not np.isfinite(scores).all():
            raise ProbeError(
                f"probe '{self.spec.name}'",
                "fitted on train and validation its weights ran off to infinity",
                "finite probabilities",
                "Standardise the features or choose another probe with --clf.",
            )
        if not getattr(classifier, "converged_", True):
            self.notes.append("the solver stopped before it converged")
        return scores

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
            f"weights: {weights}" if weights.startswith(UNTRAINED) else "",
            f"statistics were fitted on train of '{fitted}', not of '{self.scheme}'"
            if fitted and fitted != self.scheme
            else "",
        ]

    def _labelled(self, *splits: str) -> Labelled:
        rows = np.concatenate([self.data.rows[name] for name in splits])
        return Labelled(
            features=self.data.features[rows],
            labels=self.data.labels[rows],
            n_classes=len(self.data.classes),
        )

    def _note_edges(self, choice: Choice) -> None:
        if len(choice.candidates) < 2:
            return
        swept = [n for n, v in choice.params.items() if any(c[n] != v for c in choice.candidates)]
        for name in swept:
            values = [candidate[name] for candidate in choice.candidates]
            if choice.params[name] in (min(values), max(values)):
                self.notes.append(f"the best {name} is at the edge of its grid")
