"""Which chips a run trains on: the splits asked for, whatever is excluded left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.catalog import suggest
from featbank.errors import ContractError, UnknownNameError, UsageError
from featbank.samples import SPLITS, TRAIN, UNLABELLED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.samples import Samples
    from featbank.sources.fitting import Imagery

_USUAL = ("train",)


def require_splits(splits: tuple[str, ...]) -> None:
    """Refuse splits that there are not.

    Raises:
        UnknownNameError: One of them.
        UsageError: None is named.
    """
    for name in splits:
        if name not in SPLITS:
            raise UnknownNameError(
                f"--splits-seen {name}",
                "no split has this name",
                f"one of {', '.join(SPLITS)}",
                suggest(name, SPLITS),
            )
    if not splits:
        raise UsageError("--splits-seen", "names no split", "such as train", "Name one or more.")


def training_rows(imagery: Imagery, splits: tuple[str, ...]) -> tuple[NDArray[np.intp], list[str]]:
    """Rows of the dataset that are trained on, and what a user must know of that choice.

    Raises:
        ContractError: There are none.
    """
    dataset, scheme = imagery.dataset, imagery.scheme
    samples, codes = dataset.samples, dataset.samples.splits[scheme]
    is_whole = _has_nothing_to_hold_out(samples, scheme) and splits == _USUAL
    wanted = np.isin(codes, [SPLITS.index(name) for name in splits]) | is_whole
    kept = wanted if samples.exclude is None else wanted & (samples.exclude == "")
    rows = np.flatnonzero(kept)
    if not len(rows):
        counts = ", ".join(f"{int((codes == i).sum())} {name}" for i, name in enumerate(SPLITS))
        raise ContractError(
            dataset.name,
            f"split scheme '{scheme}' has no {' or '.join(splits)} chip ({counts})",
            "chips to train on",
            "Choose splits with --splits-seen, or another scheme with --split-scheme.",
        )
    taken = "all chips, since no split is known" if is_whole else f"split {' and '.join(splits)}"
    notes = [f"trains on {len(rows)} of {len(samples)} chips: {taken} (scheme {scheme})"]
    excluded = int(wanted.sum()) - len(rows)
    return rows, notes + ([f"{excluded} excluded chips are left out"] if excluded else [])


def _has_nothing_to_hold_out(samples: Samples, scheme: str) -> bool:
    """Whether there is no split, or only a made-up one of chips without labels."""
    has_none = bool((samples.splits[scheme] == UNLABELLED).all())
    return has_none or (not samples.labels and scheme in samples.aliases.values())


def fitted_on(imagery: Imagery, rows: NDArray[np.intp]) -> Imagery:
    """The imagery as fitting sees it: the rows trained on are its train split."""
    dataset = imagery.dataset
    codes = np.full(len(dataset.samples), UNLABELLED, dtype=np.int8)
    codes[rows] = TRAIN
    samples = replace(dataset.samples, splits={**dataset.samples.splits, imagery.scheme: codes})
    return replace(imagery, dataset=replace(dataset, samples=samples))
