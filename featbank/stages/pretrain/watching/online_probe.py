"""Probes during a run: the present encoder, scored on validation chips by embed and probe.

Test chips are never read. The probe machinery scores whatever a split scheme calls test, so the
encoder embeds a subset under a scheme of its own, in a temporary bank: train chips are its train,
validation chips its test, and what a probe has to choose is chosen on a part of train.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError, RefusedError
from featbank.probes.protocols import PROTOCOLS
from featbank.samples import TEST, TRAIN, VAL
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.selection import RowPicker, hash_order
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.probe.run import ProbeOptions, probe_one
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from featbank.samples import LabelSet
    from featbank.sources.fitting import Imagery
    from featbank.stages.pretrain.plan import PretrainPlan

SCHEME = "online"
PROBES = {"knn": "featbank-knn", "logistic": "featbank-logistic"}
# A probe costs about what embedding these chips costs; 1,000 give an accuracy near .8 to within
# 2.5 points (95 %, binomial), and the same chips are taken each time.
TRAIN_CHIPS, VALIDATION_CHIPS = 2000, 1000
# Where a scheme has no validation split, as probes carve it.
_CARVED = 0.2
_NEIGHBOURS = 20


def online_probe(
    plan: PretrainPlan, *, tell: Callable[[str], None] = lambda _: None
) -> OnlineProbe | None:
    """The probe of a run; None where none is asked for, or where there is nothing to probe.

    Args:
        plan: The run.
        tell: Takes one line where the dataset has no labels to probe with.
    """
    if not plan.options.probe_every:
        return None
    imagery = probed_imagery(plan.imagery)
    if imagery is None:
        name = plan.imagery.dataset.name
        tell(f"{name}: --probe-every is left out, since its train split bears no two classes")
        return None
    return OnlineProbe(plan, imagery, tell)


def probed_imagery(imagery: Imagery) -> Imagery | None:
    """The labelled chips that are probed, under a scheme in which validation plays test.

    Args:
        imagery: The dataset of the run.

    Returns:
        At most 2,000 train and 1,000 validation chips; a fifth of train plays test where the scheme
        has no validation split. None where train does not bear two classes.
    """
    dataset = imagery.dataset
    samples, split = dataset.samples, dataset.samples.splits[imagery.scheme]
    if not samples.labels:
        return None
    label_set = next(iter(samples.labels.values()))
    usable = _labelled(label_set)
    if samples.exclude is not None:
        usable &= samples.exclude == ""
    order = hash_order(samples.ids)
    order = order[usable[order]]
    train, scored = order[split[order] == TRAIN], order[split[order] == VAL]
    if not len(scored):
        cut = int(_CARVED * len(train))
        train, scored = train[cut:], train[:cut]
    train, scored = train[:TRAIN_CHIPS], scored[:VALIDATION_CHIPS]
    if not len(scored) or not _has_two(label_set, train):
        return None
    return _taken(imagery, train, scored)


def _labelled(label_set: LabelSet) -> NDArray[np.bool_]:
    codes = label_set.codes
    return np.asarray((codes >= 0).all(axis=1) if codes.ndim == 2 else codes >= 0)


def _has_two(label_set: LabelSet, rows: NDArray[np.intp]) -> bool:
    codes = label_set.codes[rows]
    return bool(codes.any()) if codes.ndim == 2 else len(np.unique(codes)) > 1


def _taken(imagery: Imagery, train: NDArray[np.intp], scored: NDArray[np.intp]) -> Imagery:
    rows = np.sort(np.concatenate([train, scored]))
    codes = np.where(np.isin(rows, train), TRAIN, TEST).astype(np.int8)
    dataset = imagery.dataset
    samples = replace(dataset.samples.take(rows), splits={SCHEME: codes})
    narrowed = replace(dataset, samples=samples, reader=RowPicker(dataset.reader, rows), masks=None)
    return replace(imagery, dataset=narrowed, scheme=SCHEME)


class OnlineProbe:
    """Scores a checkpoint on validation chips.

    Args:
        plan: The run.
        imagery: What is probed.
        tell: Takes one line where a probe cannot be made.
    """

    def __init__(
        self, plan: PretrainPlan, imagery: Imagery, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._plan = plan
        self._imagery = imagery
        self._tell = tell

    def __call__(self, checkpoint: Path) -> dict[str, float]:
        """Accuracy, or macro mAP of several labels, on validation: ``knn`` and ``logistic``.

        A probe that cannot be made says so and stops nothing.

        Args:
            checkpoint: Folder of the checkpoint as it stands.
        """
        try:
            with tempfile.TemporaryDirectory(prefix="featbank-probe-") as bank:
                store = self._embedded(checkpoint, Path(bank))
                return {name: self._score(name, store) for name in PROBES}
        except (ProbeError, RefusedError) as error:
            self._tell(f"{checkpoint.name}: not probed: {error}")
            return {}

    def _embedded(self, checkpoint: Path, bank: Path) -> Store:
        options = self._plan.options
        asked = EmbedOptions(
            model=str(checkpoint),
            dataset=options.dataset,
            dtype=self._plan.compute_dtype,
            device=options.device,
            max_invalid=options.max_invalid,
            bank=bank,
        )
        return Store(embed_dataset(plan_embed(asked, imagery=self._imagery)).store)

    def _score(self, name: str, store: Store) -> float:
        few = int((store.split(SCHEME) == "train").sum())
        # A part of train is held out to choose on.
        neighbours = min(_NEIGHBOURS, max(1, int((1 - _CARVED) * few) - 1))
        asked = ProbeOptions(
            params={"k": neighbours} if name == "knn" and neighbours < _NEIGHBOURS else {},
            bank=store.path.parents[2],
            resamples=0,
            seed=self._plan.options.seed,
        )
        return float(probe_one(PROTOCOLS[PROBES[name]], store, asked).results[0].value)
