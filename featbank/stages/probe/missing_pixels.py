"""Whether missing pixels tell the class: scores by their share, and a probe on the share alone.

A swath's edge or a cloud mask lies where it lies for reasons that may go with the class; a probe
that reads it would look better than its features are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.headline_score import headline_score
from featbank.probes import PROBES
from featbank.probes.fitting.sweep import Labelled, fitted, predict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.metrics.scoring.averages import Absent
    from featbank.stages.probe.data import ProbeData
    from featbank.store.reader import Store

COLUMN = "missing pixels"
# Upper ends of the classes of shares, in words that sort as they follow one another.
_BINS = ((0.0, "none"), (0.1, "up to 10 %"), (0.25, "up to 25 %"), (0.5, "up to 50 %"))
_MORE = "more than 50 %"
_ABSENT = "a whole band"
# Of the class of each sample a share tells little; a strong penalty keeps chance out.
_C = 1.0


def missing_classes(store: Store) -> NDArray[np.object_] | None:
    """(N,) class of each sample's share of missing pixels; None where no valid one misses any.

    Samples that lack a whole band are a class of their own: the share is of the bands there are.
    """
    shares = getattr(store, "missing", None)
    if shares is None:
        return None
    is_absent = _lacks_band(store)
    if not ((shares > 0) | is_absent)[store.valid].any():
        return None
    names = np.array([*(name for _, name in _BINS), _MORE], dtype=object)
    ends = np.array([end for end, _ in _BINS], dtype=np.float32)
    place = np.searchsorted(ends, np.nan_to_num(shares), side="left")
    found: NDArray[np.object_] = names[place]
    found[is_absent] = _ABSENT
    return found


def _lacks_band(store: Store) -> NDArray[np.bool_]:
    """(N,) whether no pixel of some band is there."""
    by_band = getattr(store, "missing_by_band", None)
    if by_band is None:
        return np.zeros(len(store.ids), dtype=bool)
    lacks: NDArray[np.bool_] = (np.nan_to_num(by_band) >= 1).any(axis=1)
    return lacks


def share_alone_note(store: Store, data: ProbeData, *, absent: Absent) -> str:
    """What a logistic probe (C = 1) makes of nothing but the shares of missing pixels."""
    X = _shares(store)
    fit, test = data.rows["final"], data.rows["test"]
    spread = X[fit].std(axis=0)
    X = ((X - X[fit].mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    given = Labelled(features=X[fit], labels=data.labels[fit], n_classes=len(data.classes))
    (probe,) = fitted(PROBES["logistic"], [({"C": _C}, 0)], given)
    truth = data.labels[test]
    value = headline_score(truth, predict(probe, X[test], given), absent=absent)
    chance = headline_score(truth, _frequent(data.labels[fit], len(test), data), absent=absent)
    metric = "macro mAP" if data.is_multilabel else "accuracy"
    return (
        f"the share of missing pixels alone gives {metric} {value:.3f}, class frequencies "
        f"{chance:.3f}"
    )


def _shares(store: Store) -> NDArray[np.float32]:
    whole, by_band = getattr(store, "missing", None), getattr(store, "missing_by_band", None)
    columns = [values for values in (whole, by_band) if values is not None]
    return np.nan_to_num(np.column_stack(columns).astype(np.float32))


def _frequent(labels: Array, n: int, data: ProbeData) -> NDArray[np.float64]:
    """(n, K) the same scores for every sample: how often each class occurs."""
    counts = (
        labels.mean(axis=0)
        if labels.ndim == 2
        else np.bincount(labels, minlength=len(data.classes)) / len(labels)
    )
    return np.tile(counts.astype(np.float64), (n, 1))
