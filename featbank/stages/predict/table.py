"""Predictions of a store as a table: a row a sample, in the order of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import ProbeError, StoreError, UsageError
from featbank.metrics.headline_score import as_kept
from featbank.stages.probe.verdict import FIXED_NAME
from featbank.store.schema import LONLAT
from featbank.store.stored import stored_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.image import Array
    from featbank.stages.probe.saved_probe import SavedProbe
    from featbank.store.reader import Store

# Rows predicted at once: 50 MB of features of 768 numbers.
_ROWS = 16_384
PROBABILITY = "p_"


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What a probe says of the N samples of a store.

    Attributes:
        ids: (N,) sample ids.
        valid: (N,) whether the sample was embedded; the others have no prediction.
        reasons: (N,) why not; '' elsewhere.
        scores: (N, K) float32 probabilities, NaN where there is none.
        decided: (N,) class index, or (N, K) whether a label is borne; -1 and False where none.
        lonlat: (N, 2) degrees; None where no place is known.
    """

    ids: Array
    valid: Array
    reasons: Array
    scores: Array
    decided: Array
    lonlat: Array | None = field(default=None)


def thresholds_of(saved: SavedProbe, wanted: str | None) -> tuple[str | None, Array | None]:
    """Name and (K,) values of the thresholds that decide; None for one class a sample.

    Raises:
        UsageError: Thresholds for one class a sample, or none of this name.
    """
    if not saved.thresholds:
        if wanted is not None:
            raise UsageError(
                f"--threshold {wanted}",
                "the probe gives each sample one class, the most probable",
                "a probe whose samples may bear several labels",
                "Leave --threshold out.",
            )
        return None, None
    name = wanted or FIXED_NAME
    if name not in saved.thresholds:
        raise UsageError(
            f"--threshold {name}",
            "the probe has no thresholds of this name",
            f"one of {', '.join(saved.thresholds)}",
            "Name one of them.",
        )
    return name, np.asarray(saved.thresholds[name])


def predict_store(saved: SavedProbe, store: Store, limits: Array | None) -> Predicted:
    """Apply a probe to every valid sample of a store.

    Args:
        saved: The probe.
        store: Embedded in the same way as the probe's own.
        limits: (K,) thresholds; None decides for the most probable class.

    Raises:
        UnknownNameError: The store lacks a feature or layer.
        StoreError: Its features are of another width, or missing.
        ProbeError: A probability is not finite.
    """
    rows, n, k = np.flatnonzero(store.valid), len(store), len(saved.classes)
    scores = np.full((n, k), np.nan, dtype=np.float32)
    decided = np.full(n, -1) if limits is None else np.zeros((n, k), dtype=bool)
    for start, found in _scores(saved, store, rows):
        block = rows[start : start + len(found)]
        scores[block] = as_kept(found)
        decided[block] = found.argmax(axis=1) if limits is None else scores[block] >= limits
    return Predicted(
        ids=store.ids,
        valid=store.valid,
        reasons=store.refused,
        scores=scores,
        decided=decided,
        lonlat=_lonlat(store),
    )


def _scores(saved: SavedProbe, store: Store, rows: Array) -> Iterator[tuple[int, Array]]:
    """(b, K) probabilities of blocks of rows, each behind its place among them."""
    parts = [store.features(name, layer=layer) for name, layer in saved.parts]
    width = sum(part.shape[1] for part in parts)
    if width != saved.dim:
        raise StoreError(
            str(store.path),
            f"its {saved.feature} has {width} numbers a sample",
            f"{saved.dim}, which the probe was fitted on",
            "Name a store of the same backbone.",
        )
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        X = np.concatenate([part[block] for part in parts], axis=1)
        _require_finite(store, X, block)
        scores = saved.scores(X)
        _require_certain(saved, scores, store.ids[block])
        yield start, scores


def _require_finite(store: Store, X: Array, rows: Array) -> None:
    broken = rows[~np.isfinite(X).all(axis=1)]
    if len(broken):
        raise StoreError(
            str(store.path),
            f"features of valid sample '{store.ids[broken[0]]}' are missing or not finite",
            "finite numbers, as they were written",
            "A shard is damaged: copy the store again, or remove it and embed again.",
        )


def _require_certain(saved: SavedProbe, scores: Array, ids: Array) -> None:
    broken = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(broken):
        raise ProbeError(
            str(ids[broken[0]]),
            f"probe {saved.result} gives probabilities that are not finite",
            "numbers of 0 to 1",
            "Its features lie far outside those that the probe was fitted on: look at the chip.",
        )


def _lonlat(store: Store) -> Array | None:
    if not (store.path / LONLAT).is_dir():
        return None
    return stored_values(store.path, LONLAT)


def as_table(predicted: Predicted, classes: Sequence[str]) -> Any:  # noqa: ANN401 - pyarrow
    """A ``pyarrow.Table``: sample_id, valid, refused, predicted or labels, p_<class>, place.

    Rows without a prediction are null there; ``labels`` are lists of names.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {
        "sample_id": pa.array(predicted.ids.tolist(), pa.string()),
        "valid": pa.array(predicted.valid),
        "refused": pa.array(predicted.reasons.tolist(), pa.string()),
        **_decisions(predicted, classes),
    }
    for k, name in enumerate(classes):
        column = predicted.scores[:, k]
        columns[f"{PROBABILITY}{name}"] = pa.array(column, mask=~predicted.valid)
    if predicted.lonlat is not None:
        for name, values in zip(("longitude", "latitude"), predicted.lonlat.T, strict=True):
            columns[name] = pa.array(values, mask=np.isnan(values))
    return pa.table(columns)


def _decisions(predicted: Predicted, classes: Sequence[str]) -> dict[str, Any]:
    import pyarrow as pa

    names = np.array([*classes, None], dtype=object)
    if predicted.decided.ndim == 1:
        return {"predicted": pa.array(names[predicted.decided].tolist(), pa.string())}
    borne = [
        names[:-1][row].tolist() if is_valid else None
        for row, is_valid in zip(predicted.decided, predicted.valid, strict=True)
    ]
    return {"labels": pa.array(borne, pa.list_(pa.string()))}
