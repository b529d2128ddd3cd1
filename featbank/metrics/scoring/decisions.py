"""Decisions by thresholds, counted label by label and sample by sample in each resample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.metric import Counts
from featbank.metrics.scoring.kernels import sum_by_bin
from featbank.metrics.scoring.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.metrics.metric import MetricSpec, Values
    from featbank.metrics.scoring.kernels import Times
    from featbank.metrics.scoring.resampling import Units


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Decisions by one set of thresholds in b resamples.

    Attributes:
        counts: (b, K) by label.
        kinds: (V, 1) decisions on one sample, for each of V kinds of samples that are decided
            equally well.
        shares: (b, V) share of each kind among the samples.
    """

    counts: Counts
    kinds: Counts
    shares: Values

    def mean_of_samples(self, spec: MetricSpec) -> Values:
        """Mean (b,) of a metric of each sample; 0 where it is undefined, as in scikit-learn."""
        mean: Values = self.shares @ np.nan_to_num(spec.function(self.kinds)[:, 0])
        return mean


class Decisions:
    """Yes or no for each label and sample, by several sets of thresholds at once.

    Truth and decisions of a label and sample make one number, its state, so that one pass counts
    all of them; where nothing is true nor said, there is nothing to count.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) scores; one at or above its threshold is a yes.
        thresholds: (K,) thresholds by name; or (N, K) bool, decisions that are taken as they are.
        units: What is resampled.
    """

    def __init__(
        self, truth: Array, scores: Array, thresholds: Mapping[str, Array], units: Units
    ) -> None:
        self._names, self._units, self._k = tuple(thresholds), units, truth.shape[1]
        said = [v if v.dtype == bool else scores >= v for v in thresholds.values()]
        states = (truth == 1).astype(np.int32)
        for position, is_yes in enumerate(said, start=1):
            states += is_yes.astype(np.int32) << position
        samples, labels = np.nonzero(states)
        self._states = 2 ** (len(said) + 1)
        self._bins = (labels * self._states + states[samples, labels]).astype(np.int32)
        self._rows = units.codes[samples]
        self._kinds = [_kinds(truth == 1, is_yes) for is_yes in said]

    def measure(self, times: Times, n: Values) -> tuple[Values, dict[str, Decided]]:
        """Positives (b, K) of each label, and decisions by name of their thresholds.

        Args:
            times: (U, b) counts of the units.
            n: (b,) samples of each resample.
        """
        sums = sum_by_bin(self._rows, self._bins, times, self._k * self._states)
        # (K * states, b) -> (b, K, states)
        by_state = sums.T.reshape(-1, self._k, self._states).astype(np.float64)
        states = np.arange(self._states)
        is_true = states % 2 == 1
        support = by_state[..., is_true].sum(axis=-1)
        found = {}
        for position, (name, (kinds, codes)) in enumerate(
            zip(self._names, self._kinds, strict=True), start=1
        ):
            is_yes = (states >> position) % 2 == 1
            tp = by_state[..., is_true & is_yes].sum(axis=-1)
            fp = by_state[..., ~is_true & is_yes].sum(axis=-1)
            counted = sum_by_bin(self._units.codes, codes, times, len(kinds.tp))
            found[name] = Decided(
                counts=Counts(tp=tp, fp=fp, fn=support - tp, tn=n[:, None] - support - fp),
                kinds=kinds,
                shares=ratio(counted.T.astype(np.float64), n[:, None]),
            )
        return support, found


def most_probable(scores: Array, count: int) -> NDArray[np.bool_]:
    """Decisions (N, K) for the labels of greatest score, the first of equals.

    Args:
        scores: (N, K) scores.
        count: Labels that each sample gets, all of them where there are fewer.
    """
    said = np.zeros(scores.shape, dtype=bool)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    np.put_along_axis(said, best, True, axis=1)
    return said


def _kinds(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> tuple[Counts, NDArray[np.int32]]:
    """Counts (V, 1) of each kind of sample, and the kind (N,) of each."""
    hits, yes, held = (each.sum(axis=1) for each in (truth & said, said, truth))
    base = truth.shape[1] + 1
    codes, kind_of = np.unique((hits * base + yes) * base + held, return_inverse=True)
    tp, predicted, support = (
        each.astype(np.float64)[:, None]
        for each in (codes // base**2, codes // base % base, codes % base)
    )
    rest = base - 1 - predicted - support + tp
    counts = Counts(tp=tp, fp=predicted - tp, fn=support - tp, tn=rest)
    return counts, kind_of.astype(np.int32)
