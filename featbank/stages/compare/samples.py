"""The samples that several results have scored: their common truth, scores and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.bank.results import Predictions, read_predictions
from featbank.errors import MissingPathError, ProbeError
from featbank.stages.compare.image_agreement import BETWEEN_STORES, of_one_image, scored_store
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from featbank.bank.bank import Bank
    from featbank.image import Array
    from featbank.result import Result


@dataclass(frozen=True, kw_only=True)
class CommonSamples:
    """What several results say of the same samples.

    Attributes:
        ids: (N,) sample ids in all of them, sorted.
        left_out: Ids that some of them lack, or hold as another image.
        truth: (N,) class indices, or (N, K) 0 and 1.
        predictions: Predictions of each result, of these samples in this order.
        groups: (N,) group of each sample; None where intervals resample samples.
    """

    ids: Array
    left_out: int
    truth: Array
    predictions: list[Predictions]
    groups: Array | None


def common_samples(bank: Bank, heads: Sequence[Result], names: Sequence[str]) -> CommonSamples:
    """Join predictions on sample id.

    Args:
        bank: Where the predictions stand.
        heads: Headline row of each result.
        names: What each is called in errors.

    Raises:
        ProbeError: Label sets, classes or truth differ, or no sample is in all of them.
        MissingPathError: Groups are resampled, and the store that knows them is gone.
    """
    found = [read_predictions(bank.predictions_path(head.result)) for head in heads]
    for head, each, name in zip(heads[1:], found[1:], names[1:], strict=True):
        _require_same(heads[0], found[0], names[0], head, each, name)
    ids = _in_all(heads, found, names)
    shared = len(ids)
    ids = of_one_image(bank, heads, ids)
    if not ids:
        raise ProbeError(
            f"'{names[0]}' and '{names[-1]}'",
            f"their {shared:,} samples of equal ids are other images, byte for byte",
            "results on the same images",
            "Name the folder's path with --dataset, or results of one store.",
        )
    taken = [_take(each, ids) for each in found]
    for head, each, name in zip(heads[1:], taken[1:], names[1:], strict=True):
        _require_same_truth(heads[0], taken[0], names[0], head, each, name)
    return CommonSamples(
        ids=taken[0].ids,
        left_out=len(set[str]().union(*(each.ids.tolist() for each in found))) - len(ids),
        truth=taken[0].truth,
        predictions=taken,
        groups=_groups(bank, heads, ids),
    )


def _in_all(
    heads: Sequence[Result], found: Sequence[Predictions], names: Sequence[str]
) -> list[str]:
    """Ids of the samples that every result scored, sorted."""
    ids = set(found[0].ids.tolist())
    for head, each, name in zip(heads[1:], found[1:], names[1:], strict=True):
        ids &= set(each.ids.tolist())
        if not ids:
            raise ProbeError(
                f"'{names[0]}' and '{name}'",
                "no sample was scored in all of them",
                "results on test samples with the same ids",
                f"Compare results of one dataset and split scheme ({_files(heads[0], head)}"
                " hold these).",
            )
    return sorted(ids)


def _require_same(
    a: Result, a_said: Predictions, a_name: str, b: Result, b_said: Predictions, b_name: str
) -> None:
    pairs = (
        ("split", a_said.split, b_said.split),
        ("label set", a.label_set, b.label_set),
        ("classes", tuple(a_said.classes), tuple(b_said.classes)),
    )
    for what, first, second in pairs:
        if first != second:
            raise ProbeError(
                f"'{a_name}' and '{b_name}'",
                f"their {what} differ: {_short(first)} and {_short(second)}",
                f"one {what}",
                f"Compare results of the same labels ({_files(a, b)} hold these).",
            )


def _files(a: Result, b: Result) -> str:
    """Where the predictions stand: two names in words do not lead there."""
    return f"{a.result}.parquet and {b.result}.parquet in predictions/"


def _short(value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    shown = ", ".join(value[:3]) + (", …" if len(value) > 3 else "")
    return f"{len(value)} ({shown})"


def _require_same_truth(
    a: Result, a_said: Predictions, a_name: str, b: Result, b_said: Predictions, b_name: str
) -> None:
    differs = a_said.truth != b_said.truth
    count = int((differs.any(axis=1) if differs.ndim == 2 else differs).sum())
    if count:
        raise ProbeError(
            f"'{a_name}' and '{b_name}'",
            f"the truth of {count} common samples differs",
            "the same labels of the same samples",
            f"Probe both stores with one version of the labels ({_files(a, b)} hold these).",
        )


def _take(predictions: Predictions, ids: Sequence[str]) -> Predictions:
    row_of = {name: row for row, name in enumerate(predictions.ids.tolist())}
    rows = np.array([row_of[name] for name in ids])
    return Predictions(
        ids=predictions.ids[rows],
        split=predictions.split,
        truth=predictions.truth[rows],
        scores=predictions.scores[rows],
        classes=predictions.classes,
        thresholds=predictions.thresholds,
    )


def _groups(bank: Bank, heads: Sequence[Result], ids: Sequence[str]) -> Array | None:
    """Groups (N,) from the store of the first result that resamples them."""
    head = next((head for head in heads if head.resampled == "group"), None)
    if head is None:
        return None
    path = _store_path(bank, head)
    store = Store(path)
    group_of = {} if store.group is None else dict(zip(store.ids, store.group, strict=True))
    missing = sum(name not in group_of for name in ids)
    if missing:
        raise ProbeError(
            str(path),
            f"it knows no group of {missing} of the {len(ids)} samples",
            "the groups that result " + head.result + " resamples",
            "Repeat the probe on this store.",
        )
    return np.array([group_of[name] for name in ids], dtype=object)


def _store_path(bank: Bank, head: Result) -> Path:
    """Where the scored store stands: as the result says, in this bank under its name, or moved."""
    if path := scored_store(bank, head):
        return path
    raise MissingPathError(
        (head.test_store or head.store).split(BETWEEN_STORES)[0],
        f"the store of result {head.result} is gone",
        "the store, whose groups are resampled",
        "Embed it again, or run the command where its path leads.",
    )
