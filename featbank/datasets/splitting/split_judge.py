"""Whether a split scheme can be worked with: what makes one degenerate, and which one is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.split_gaps import class_counts
from featbank.samples import TEST, TRAIN, UNLABELLED, VAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.samples import Samples

SHARES = np.array([0.6, 0.2, 0.2])
# A class of fewer samples cannot stand in all three splits.
FEW = 3
# A split below this part of its share is starved: 30 % in train instead of 60, 5 instead of 20.
_STARVED = np.array([0.5, 0.25, 0.25])
# More classes than this part without a test sample make a score that speaks of few of them.
_UNTESTED = 1 / 3
# From this many samples on, a class that holds less than the starved part of its share in train or
# test is starved too: below it, one sample more or less decides.
_MANY = 20
# Fewer samples kept than this part: a scheme that leaves so many out is another data set.
_KEPT = 0.5


class SplitJudge:
    """Judges schemes of one dataset; samples that are excluded or unlabelled do not count.

    Args:
        samples: The dataset.
    """

    def __init__(self, samples: Samples) -> None:
        self._sets = list(samples.labels.values())
        kept = np.ones(len(samples), dtype=bool)
        if samples.exclude is not None:
            kept &= samples.exclude == ""
        labelled = kept.copy()
        for each in self._sets[:1]:
            known = each.codes >= 0
            labelled &= known if known.ndim == 1 else known.all(axis=1)
        # A dataset without a single label is split all the same.
        self.counted: NDArray[np.bool_] = labelled if labelled.any() else kept

    def fault(self, split: NDArray[np.int8]) -> str:
        """What makes a scheme degenerate, in words; '' where nothing does."""
        counts = np.bincount(split[self.counted], minlength=UNLABELLED + 1)
        parts = counts[: len(SHARES)]
        if counts[UNLABELLED] > (1 - _KEPT) * counts.sum():
            return "leave most samples out"
        if (parts == 0).any():
            return "leave a split empty"
        if (parts < _STARVED * SHARES * parts.sum()).any():
            return "starve a split"
        for held in self._by_class(split):
            many = held.sum(axis=0) >= FEW
            if (many & (held[TRAIN] == 0)).any():
                return "leave a class without a train sample"
            if (many & (held[TEST] == 0)).sum() > _UNTESTED * many.sum():
                return "leave classes without a test sample"
        return ""

    def starved(self, split: NDArray[np.int8]) -> int:
        """Classes of three samples or more that train or test lacks, or has next to nothing of."""
        count = 0
        for held in self._by_class(split):
            whole = held.sum(axis=0)
            for part in (TRAIN, TEST):
                least = np.where(whole >= _MANY, _STARVED[part] * SHARES[part] * whole, 1)
                count += int(((whole >= FEW) & (held[part] < least)).sum())
        return count

    def rank(self, split: NDArray[np.int8]) -> tuple[int, int, int, int, float]:
        """What is amiss, the worst first.

        Empty splits, classes that train lacks, starved classes, classes that validation lacks, and
        how far shares are off.
        """
        lacking = [
            ((held.sum(axis=0) >= FEW) & (held == 0)).sum(axis=1) for held in self._by_class(split)
        ]
        untrained, unchosen = (int(sum(each[part] for each in lacking)) for part in (TRAIN, VAL))
        parts = np.bincount(split[self.counted], minlength=UNLABELLED + 1)[: len(SHARES)]
        off = float(np.abs(parts / max(1, parts.sum()) - SHARES).sum())
        return int((parts == 0).sum()), untrained, self.starved(split), unchosen, off

    def _by_class(self, split: NDArray[np.int8]) -> list[NDArray[np.int64]]:
        own = split[self.counted]
        return [class_counts(s.codes[self.counted], own, len(s.classes)) for s in self._sets]

    def table(self, units: NDArray[np.intp]) -> NDArray[np.int64]:
        """(U, K) counted samples of each class in each unit, over all label sets."""
        n_units, own = int(units.max()) + 1, units[self.counted]
        blocks = [np.zeros((n_units, 0), dtype=np.int64)]
        for each in self._sets:
            codes, width = each.codes[self.counted], len(each.classes)
            if each.is_multilabel:
                row, column = np.nonzero(codes == 1)
            else:
                row = np.flatnonzero(codes >= 0)
                column = codes[row]
            flat = np.bincount(own[row] * width + column, minlength=n_units * width)
            blocks.append(flat.reshape(n_units, width))
        return np.concatenate(blocks, axis=1)
