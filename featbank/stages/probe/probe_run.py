"""One protocol on one store: what it reads, how it is chosen, and its probabilities on test."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import ProbeError, UsageError
from featbank.lookup.headline import Headline, headline_of
from featbank.metrics.scoring.averages import LEFT_OUT, ZERO
from featbank.probes import PROBES
from featbank.probes.fitting.sweep import Choice, Labelled, candidates, choose, fitted, predict
from featbank.recipes.recipe import UNTRAINED, recipe_id
from featbank.stages.probe.computing import idle_gpu
from featbank.stages.probe.data import ProbeData, probe_data
from featbank.stages.probe.features import probe_features
from featbank.stages.probe.fold_units import fold_units
from featbank.stages.probe.known_images import known_images
from featbank.stages.probe.missing_pixels import COLUMN, missing_classes, share_alone_note
from featbank.stages.probe.options import require_known_params
from featbank.stages.probe.pretrained_on import pretrained_on
from featbank.stages.probe.unseen_scores import Unseen, unseen_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from featbank.image import Array
    from featbank.metrics.scoring.averages import Absent
    from featbank.probes import Classifier, ProbeSpec
    from featbank.probes.protocols import ProtocolSpec
    from featbank.stages.probe.options import ProbeOptions
    from featbank.store.reader import Store

# Raised whenever the same probe on the same features would give another number.
ALGORITHM = 3
RESAMPLES = 1000


class ProbeRun:
    """A protocol, a store and the options that join them.

    Args:
        protocol: The protocol.
        store: Features, labels and splits.
        options: What the user asked for; the protocol's and the store's defaults fill the gaps.

    Raises:
        FeatbankError: A name that is not known, or labels that the probe does not take.

    Attributes:
        probe: The protocol's probe.
        by: (N,) values of the columns that tell results apart.
        feature: Features that the probe sees.
        layer: Block index that they come from.
        label_set: Nomenclature of the labels.
        scheme: Split scheme, by its true name.
        alias: Other name of the scheme; None where it has none.
        resamples: Parts that intervals leave out, at most.
        result_id: Id of the result, a hash of all that decides it.
        notes: What a reader must know beside the numbers; grows as the probe is fitted.
    """

    def __init__(self, protocol: ProtocolSpec, store: Store, options: ProbeOptions) -> None:
        require_known_params(protocol, options.params)
        self.protocol = protocol
        self.probe: ProbeSpec = PROBES[protocol.probe]
        self.store = store
        self.options = options
        self.label_set = store.label_set_name(options.labels)
        _require_taken(self.probe, store, self.label_set)
        self.scheme = store.scheme_name(options.split_scheme)
        others = [name for name, true in store.scheme_aliases.items() if true == self.scheme]
        self.alias = others[0] if others else None
        asked = options.resamples
        self.resamples = (protocol.resamples or RESAMPLES) if asked is None else asked
        self.result_id = recipe_id(self._recipe())[:16]
        self.notes: list[str] = []

    def read(self) -> ProbeData:
        """Read features, labels and rows.

        Raises:
            FeatbankError: The store lacks what the protocol or the user asks for.
        """
        self.by = {name: self.store.column(name) for name in self.options.by}
        found = probe_features(self.store, self.protocol, self.options)
        self.feature, self.layer = found.name, found.layer
        data = probe_data(
            self.store,
            found,
            self.protocol,
            label_set=self.label_set,
            scheme=self.scheme,
            seed=self.options.seed,
            buffer_m=self.options.buffer,
        )
        seen = pretrained_on(self.store, data.rows["test"])
        known = known_images(self.store, data.rows)
        protocol = self.protocol
        given = (
            *protocol.settled,
            *protocol.unmet,
            *found.notes,
            data.note,
            *self._store_notes(),
            idle_gpu(self.probe, self.options.device),
            seen,
            known,
        )
        self.notes = [note for note in given if note]
        self._look_at_missing(data)
        return data

    def _look_at_missing(self, data: ProbeData) -> None:
        """Where chips miss pixels: score them apart, and tell what the share alone gives."""
        classes = missing_classes(self.store)
        if classes is not None and not self.options.shots:
            self.by[COLUMN] = classes
            self.note(share_alone_note(self.store, data, absent=self.absent))

    def choose(
        self,
        data: ProbeData,
        progress: Callable[[int, int], None] | None = None,
        *,
        shots: int | None = None,
    ) -> Choice:
        """Parameters that are best on the ``val`` rows, of a probe fitted on the ``train`` rows.

        Of few shots both are drawn; some protocols draw ``val`` from the train split, and so is
        done where a scheme has no validation split.

        Args:
            data: What it is fitted and chosen on.
            progress: Called with fits done and fits in all.
            shots: Training samples of each class, of a few-shot run.
        """
        choice = choose(
            self.probe,
            self._candidates(len(data.rows["train"]), shots),
            fit_data=labelled(data, "train"),
            score_data=labelled(data, "val"),
            seed=self.options.seed,
            scorer=partial(self.headline(data).score, absent=self.absent),
            progress=progress,
        )
        self._note_edges(choice)
        if choice.unconverged:
            count = f"{choice.unconverged} of {len(choice.candidates)}"
            self.note(f"the solver stopped before it converged for {count} candidates")
        return choice

    def final_fits(
        self,
        data: ProbeData,
        params: Mapping[str, Any],
        *,
        seeds: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[Classifier | None, Array]]:
        """The scored probe and its (n, K) test probabilities, once for each seed.

        Raises:
            ProbeError: It gives probabilities that are not finite.
        """
        fit_data, test = labelled(data, "final"), data.features[data.rows["test"]]
        whole = {**params, **self.protocol.final_params}
        wanted = [(whole, self.options.seed + i) for i in range(seeds)]
        alone = progress if seeds == 1 else None
        for done, classifier in enumerate(fitted(self.probe, wanted, fit_data, alone), start=1):
            if progress and seeds > 1:
                progress(done, seeds)
            scores = predict(classifier, test, fit_data)
            if not np.isfinite(scores).all():
                raise ProbeError(
                    f"probe '{self.probe.name}'",
                    "fitted on all that it may be, its weights ran off to infinity",
                    "finite probabilities",
                    "Standardise the features or choose another probe with --clf.",
                )
            yield classifier, scores

    def unseen(self, data: ProbeData, choice: Choice) -> Unseen:
        """What thresholds and the temperature are fitted on.

        Scores of validation by the chosen candidate, where the scored probe is fitted on the same
        samples; else of held-out folds of all that it is fitted on, or of validation again where
        such folds cannot be made.
        """
        final, val = data.rows["final"], data.rows["val"]
        as_chosen = Unseen(data.labels[val], choice.validation, "val", len(data.rows["train"]))
        if np.array_equal(final, data.rows["train"]):
            return as_chosen
        units = fold_units(data.groups, data.lonlat, self.scheme)
        found = unseen_scores(
            self.probe,
            labelled(data, "final"),
            {**choice.params, **self.protocol.final_params},
            groups=None if units is None else units[final],
            seed=self.options.seed,
            split="+".join(self.protocol.final_on),
        )
        return found or as_chosen

    def every_candidate(self, data: ProbeData) -> Iterator[tuple[Mapping[str, Any], Array]]:
        """Each candidate's parameters and (n, K) test probabilities."""
        fit_data, test = labelled(data, "final"), data.features[data.rows["test"]]
        tried = self._candidates(len(data.rows["final"]))
        fits = fitted(self.probe, [(params, self.options.seed) for params in tried], fit_data)
        for params, classifier in zip(tried, fits, strict=True):
            yield params, predict(classifier, test, fit_data)

    def _candidates(self, n_train: int, shots: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """The grid, without numbers of neighbours that the training set does not have."""
        tried = candidates(self.protocol, self.probe.defaults, self.options.params)
        if shots and self.protocol.few_shot.k_within_shots and "k" not in self.options.params:
            tried = _k_within(tried, shots)
        if self.options.shots and any(params.get("k", 0) > n_train for params in tried):
            # A few shots are often fewer samples than neighbours.
            self.note("k is at most the number of training samples")
            clipped = [{**params, "k": min(params["k"], n_train)} for params in tried]
            return tuple(params for i, params in enumerate(clipped) if params not in clipped[:i])
        kept = tuple(params for params in tried if params.get("k", 0) <= n_train)
        if len(kept) < len(tried) and kept:
            lost = ", ".join(str(params["k"]) for params in tried if params not in kept)
            self.note(f"k {lost} is left out: there are {n_train} training samples")
        return kept or tried

    def note(self, note: str) -> None:
        """Tell a reader of the result, once."""
        if note not in self.notes:
            self.notes.append(note)

    def _recipe(self) -> dict[str, Any]:
        options = self.options
        # Only where it is asked for, so that results without a buffer keep their ids.
        buffer = {} if options.buffer is None else {"buffer_m": float(options.buffer)}
        return {
            **buffer,
            "algorithm": ALGORITHM,
            "store": self.store.attributes["recipe_id"],
            "labels": self.store.attributes["labels_sha256"],
            "probe": self.probe.name,
            "protocol": self.protocol.name,
            "params": dict(options.params),
            "feature": options.features or self.store.attributes["default_feature"],
            "layer": self.store.layers[-1] if options.layer is None else options.layer,
            "label_set": self.label_set,
            "split_scheme": self.scheme,
            "shots": list(options.shots),
            "tries": options.tries if options.shots else 0,
            "by": list(options.by),
            "seed": options.seed,
            "seeds": self.seeds,
            "resamples": self.resamples,
        }

    def headline(self, data: ProbeData) -> Headline:
        """The metric that stands first, and that parameters are chosen by."""
        return headline_of(self.protocol, several=data.is_multilabel)

    @property
    def absent(self) -> Absent:
        """What macro averages make of classes without a test sample."""
        return ZERO if self.protocol.absent_as_zero else LEFT_OUT

    @property
    def seeds(self) -> int:
        """Fits of the scored probe: one where nothing is random."""
        return self.options.seeds if self.probe.is_random else 1

    def _store_notes(self) -> list[str]:
        weights, fitted_on = (self.store.attributes[n] for n in ("weights", "fitted_scheme"))
        return [
            *getattr(self.store, "notes", ()),
            f"weights: {weights}" if UNTRAINED in weights else "",
            f"statistics were fitted on train of '{fitted_on}', not of '{self.scheme}'"
            if fitted_on and fitted_on != self.scheme
            else "",
        ]

    def _note_edges(self, choice: Choice) -> None:
        if len(choice.candidates) < 2:
            return
        swept = [n for n, v in choice.params.items() if any(c[n] != v for c in choice.candidates)]
        for name in swept:
            values = [candidate[name] for candidate in choice.candidates]
            if isinstance(values[0], str) or name in self.protocol.final_params:
                continue
            if choice.params[name] in (min(values), max(values)) and len(set(values)) > 2:
                self.note(f"the best {name} is at the edge of its grid")


def _k_within(tried: Sequence[Mapping[str, Any]], shots: int) -> tuple[Mapping[str, Any], ...]:
    """The candidates of k up to the shots, and one whose k is the shots; weighed over as many."""
    kept = [params["k"] for params in tried if params["k"] < shots]
    return tuple({**tried[0], "k": k, "normalise_over": shots} for k in (*kept, shots))


def labelled(data: ProbeData, use: str) -> Labelled:
    """Features and labels of the rows of one use.

    Args:
        data: What a probe reads.
        use: ``train``, ``val``, ``final`` or ``test``.
    """
    rows = data.rows[use]
    return Labelled(
        features=data.features[rows],
        labels=data.labels[rows],
        n_classes=len(data.classes),
        views=data.views,
    )


def with_rows(data: ProbeData, **rows: Array) -> ProbeData:
    """The same data with other rows for some uses."""
    return replace(data, rows={**data.rows, **rows})


def _require_taken(probe: ProbeSpec, store: Store, label_set: str) -> None:
    """Refuse before anything is read labels that the probe cannot be fitted to."""
    # Most probes take any labels: then these are not read here.
    if probe.takes_several_labels or store.labels(label_set).ndim == 1:
        return
    raise UsageError(
        f"probe '{probe.name}'",
        f"takes one class a sample, and a sample may bear several labels of '{label_set}'",
        "a label set with one class a sample",
        "Choose another set with --labels, or another probe.",
    )
