"""Images that stand in a dataset more than once: byte for byte the same, under several ids."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.samples import UNKNOWN_LABEL, UNLABELLED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.samples import LabelSet, Samples

_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Images with several samples.

    Attributes:
        images: Images that several samples are.
        samples: Samples that are one of them.
        scheme: The default split scheme; '' where there is none.
        across_splits: Images of them that stand in several of its splits.
        other_labels: Images of them whose samples bear different labels, of any label set.
        examples: Pairs of ids, those of the gravest kind first.
    """

    images: int
    samples: int
    scheme: str
    across_splits: int
    other_labels: int
    examples: tuple[tuple[str, str], ...]

    def sentence(self) -> str:
        """What a user must know, without a full stop."""
        first, second = self.examples[0]
        graver = [
            f"{self.across_splits:,} of them in several splits of '{self.scheme}'"
            if self.across_splits
            else "",
            f"{self.other_labels:,} with different labels" if self.other_labels else "",
        ]
        told = "".join(f", {part}" for part in graver if part)
        stands = "1 image stands" if self.images == 1 else f"{self.images:,} images stand"
        return (
            f"{stands} byte for byte in {self.samples:,} samples{told} (such as {first} and "
            f"{second})"
        )

    def as_attributes(self) -> dict[str, Any]:
        """What the store keeps."""
        return {**asdict(self), "examples": [list(pair) for pair in self.examples]}


def find_duplicates(samples: Samples) -> Duplicates | None:
    """Samples of equal content; None where there are none, or nobody took digests.

    Args:
        samples: With digests.
    """
    if samples.digests is None or not len(samples):
        return None
    _, image, counts = np.unique(
        samples.digests.astype("S64"), return_inverse=True, return_counts=True
    )
    rows = np.flatnonzero(counts[image] > 1)
    if not len(rows):
        return None
    rows = rows[np.argsort(image[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(image[rows], prepend=-1))
    scheme = next(iter(samples.splits), "")
    split = _differs(samples.splits[scheme][rows], starts, UNLABELLED) if scheme else None
    labels = _labels_differ(samples, rows, starts)
    split = np.zeros(len(starts), dtype=bool) if split is None else split
    order = np.argsort(~split * 2 + ~labels, kind="stable")[:_EXAMPLES]
    pairs = [(str(samples.ids[rows[at]]), str(samples.ids[rows[at + 1]])) for at in starts[order]]
    return Duplicates(
        images=len(starts),
        samples=len(rows),
        scheme=scheme,
        across_splits=int(split.sum()),
        other_labels=int(labels.sum()),
        examples=tuple(pairs),
    )


def _labels_differ(
    samples: Samples, rows: NDArray[np.intp], starts: NDArray[np.intp]
) -> NDArray[np.bool_]:
    differs = np.zeros(len(starts), dtype=bool)
    for label_set in samples.labels.values():
        differs |= _differs(_single(label_set, rows), starts, UNKNOWN_LABEL)
    return differs


def _single(label_set: LabelSet, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """One number a sample: its class, or one for each combination of labels; -1 unknown."""
    codes = label_set.codes[rows]
    if codes.ndim == 1:
        return codes.astype(np.int64)
    numbers = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
    return np.where((codes == UNKNOWN_LABEL).any(axis=1), UNKNOWN_LABEL, numbers)


def _differs(codes: NDArray[Any], starts: NDArray[np.intp], unknown: int) -> NDArray[np.bool_]:
    """Whether the known codes of each run of samples are more than one."""
    values = codes.astype(np.int64)
    is_known = values != unknown
    top, bottom = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    lowest = np.minimum.reduceat(np.where(is_known, values, top), starts)
    highest = np.maximum.reduceat(np.where(is_known, values, bottom), starts)
    return np.asarray(lowest < highest)
