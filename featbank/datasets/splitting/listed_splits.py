"""How publishers' split lists and the samples that are here fit together, name by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.splitting.split_lists import assign
from featbank.errors import DatasetError
from featbank.samples import SPLITS, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_LISTED = tuple(name for code, name in enumerate(SPLITS) if code != UNLABELLED)
# Ends a line that was cut, so that it is no other sample's name.
CUT = "…"
# A name in a message.
_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class ListedSplits:
    """The lists of one scheme beside N samples.

    Attributes:
        keys: (N,) names that the lists may hold.
        files: File by split.
        names: Listed names by split, as the lists have them.
        is_one: Whether the user names one list alone, so that the others are not missed.
        is_part: Whether copies are usually a part of what is listed, so that a whole split may be
            elsewhere.
        exclude: (N,) reasons to leave samples out; those need no line. None leaves none out.
    """

    keys: Sequence[str]
    files: Mapping[str, Path]
    names: Mapping[str, Sequence[str]]
    is_one: bool = False
    is_part: bool = False
    exclude: NDArray[np.object_] | None = None

    def codes(self) -> NDArray[np.int8]:
        """(N,) codes of the split that each sample is listed in, ``UNLABELLED`` where in none.

        Raises:
            DatasetError: An empty list, a name in two lists, or a list that is not there or names
                nothing that is here while samples are in no list: a whole split would be lost.
        """
        codes = assign(self.keys, self.files, self.names)
        lost = self._unlisted(codes)
        if len(lost):
            self._refuse_vanished(f"{len(lost)} of {len(self.keys)} samples are in no list")
        return codes

    def notes(self) -> Iterator[str]:
        """What the lists and the samples lack of each other, a sentence each."""
        here = set(self.keys)
        yield from self._absent(here)
        for split, listed in self.names.items():
            path = self.files[split]
            if not listed:
                yield f"{path.name}: holds no sample name"
            twice = [name for name, count in Counter(listed).items() if count > 1]
            if twice:
                yield f"{path.name}: {len(twice):,} names stand twice, the first is '{twice[0]}'"
            if listed and _is_cut(listed[-1], here):
                yield f"{path.name}: its last line '{listed[-1][:_SHOWN]}' is cut short"
        lost = self._unlisted(assign(self.keys, self.files, self.names))
        if len(lost):
            yield (
                f"{len(lost):,} of {len(self.keys):,} samples are in no split list, the first is "
                f"'{self.keys[lost[0]]}': unlabelled"
            )

    def _absent(self, here: set[str]) -> Iterator[str]:
        """Lines without a sample: of a part of a dataset, most of them."""
        every = {name: split for split, listed in self.names.items() for name in listed}
        absent = [name for name in every if name not in here]
        if absent:
            path = self.files[every[absent[0]]]
            yield (
                f"{len(absent):,} of {len(every):,} names in split lists are not here, the first "
                f"is '{absent[0][:_SHOWN]}' of {path.name}"
            )

    def _unlisted(self, codes: NDArray[np.int8]) -> NDArray[np.intp]:
        is_lost = codes == UNLABELLED
        if self.exclude is not None:
            is_lost &= self.exclude == ""
        return np.flatnonzero(is_lost)

    def _refuse_vanished(self, lost: str) -> None:
        here = set(self.keys)
        missing = [name for name in _LISTED if name not in self.files]
        if missing and not self.is_one:
            path = next(iter(self.files.values()))
            beside = f"stands without a list of {' and '.join(missing)}, and {lost}"
            raise _vanished(path, beside)
        for split, listed in self.names.items():
            if not listed and not self.is_part:
                raise _vanished(self.files[split], f"holds no sample name, and {lost}")
            if here.isdisjoint(listed) and not self.is_part:
                shown = listed[0][:_SHOWN]
                raise _vanished(
                    self.files[split], f"names none of the samples here ('{shown}' …), and {lost}"
                )


def _is_cut(last: str, here: set[str]) -> bool:
    begin = last.removesuffix(CUT)
    return last not in here and any(name.startswith(begin) for name in here)


def _vanished(path: Path, found: str) -> DatasetError:
    return DatasetError(
        str(path),
        found,
        "the publisher's lists of all splits, whole",
        "Fetch them again, or name one list alone with --splits.",
    )
