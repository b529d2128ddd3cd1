"""Split schemes for datasets that publish none: seeded 60/20/20, by group or place where known.

A scheme is named by what it keeps apart: ``block-0.1deg-0``, ``block-1km-0``, ``group-0``,
``overlap-0``, ``stratified-0``. The first five are also ``random-0`` … ``random-4``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._known_places import one_name_each, with_known_places
from featbank.datasets.split_gaps import in_a_row, listed
from featbank.datasets.splitting.split_judge import SplitJudge
from featbank.datasets.splitting.split_rungs import BLOCK, GROUP, Dependence
from featbank.samples import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from featbank.datasets.splitting.split_rungs import Rung
    from featbank.samples import Samples

SCHEMES = tuple(f"random-{seed}" for seed in range(5))


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """One scheme.

    Attributes:
        kind: What it keeps apart.
        split: (N,) codes.
        fault: What makes it degenerate; '' where nothing does.
        refused: Fault by kind, of the kinds that were tried before.
    """

    kind: str
    split: NDArray[np.int8]
    fault: str
    refused: Mapping[str, str] = field(default_factory=dict)


def with_splits(samples: Samples) -> Samples:
    """Samples with five schemes where none is published, each under two names.

    Whole groups, or blocks of 0.1° where only places are known, go to one split, so that test
    samples are not neighbours of train samples; without either, classes are stratified. Where that
    is degenerate (a split empty or starved, a class of three samples or more without a train
    sample, more than a third of the classes without a test sample), other draws of the same units
    are tried, one that looks after every class among them, then smaller blocks, then chips that
    overlap as one group, then single samples. Chips whose bounding boxes overlap stay together
    unless nothing else can be split; what was tried in vain stands in ``split_notes``.

    A place off the globe is none, whether splits are drawn or published.
    """
    samples = with_known_places(samples)
    if samples.splits or not len(samples):
        return samples
    judge, ground = SplitJudge(samples), Dependence(_with_one_name_each(samples))
    lower = cache(lambda: list(ground.lower_rungs()))
    drawn = [_draw(ground, lower, judge, seed) for seed in range(len(SCHEMES))]
    names = [f"{each.kind}-{seed}" for seed, each in enumerate(drawn)]
    notes = {
        name: note
        for name, each in zip(names, drawn, strict=True)
        if (note := "; ".join(_notes(each, ground)))
    }
    splits = [each.split for each in drawn]
    return replace(
        samples,
        splits=dict(zip((*SCHEMES, *names), splits * 2, strict=True)),
        aliases=dict(zip(SCHEMES, names, strict=True)),
        split_notes=notes,
        notes=(*samples.notes, *_together(notes)),
    )


def _with_one_name_each(samples: Samples) -> Samples:
    if samples.lonlat is None:
        return samples
    return replace(samples, lonlat=one_name_each(samples.lonlat))


def _draw(
    ground: Dependence, lower: Callable[[], list[Rung]], judge: SplitJudge, seed: int
) -> _Drawn:
    """The seed's own draw where it can be worked with, else the first way down that can.

    Below the first draw a way is taken that starves no class, else one that starves few, else
    single samples.
    """
    own = next(ground.own_rung.ways(judge, seed))
    if not judge.fault(own):
        return _Drawn(kind=ground.own_rung.kind, split=own, fault="")
    refused: dict[str, str] = {}
    second: _Drawn | None = None
    for rung in (ground.own_rung, *lower()):
        found = replace(_best(rung, judge, seed), refused=dict(refused))
        if not found.fault and not judge.starved(found.split):
            return found
        second = found if second is None and not found.fault else second
        refused.setdefault(rung.kind, found.fault or "starve a class")
    return second or replace(_best(ground.last_rung, judge, seed), refused=refused)


def _best(rung: Rung, judge: SplitJudge, seed: int) -> _Drawn:
    """The first draw of a rung that starves nothing, else the best of all."""
    drawn = []
    for split in rung.ways(judge, seed):
        drawn.append(_Drawn(kind=rung.kind, split=split, fault=judge.fault(split)))
        if not drawn[-1].fault and not judge.starved(split):
            return drawn[-1]
    return min(drawn, key=lambda each: (bool(each.fault), judge.rank(each.split)))


def _notes(drawn: _Drawn, ground: Dependence) -> Iterator[str]:
    samples = ground.samples
    by_fault: dict[str, list[str]] = {}
    for kind, fault in drawn.refused.items():
        if kind != drawn.kind:
            by_fault.setdefault(fault, []).append(kind)
    for fault, kinds in by_fault.items():
        yield f"every draw of {listed(kinds)} would {fault}"
    yield from _parted(drawn, ground)
    if left_out := int((drawn.split == UNLABELLED).sum()):
        yield f"{left_out} samples that overlap another split are left out"
    if samples.lonlat is not None and not ground.has_places:
        yield f"{_placed(samples)} of {len(samples)} samples have a known place, too few of them"
    elif drawn.kind.startswith(BLOCK) and (lost := len(samples) - _placed(samples)):
        yield f"{lost} of {len(samples)} samples have no known place"
    if drawn.fault:
        yield f"every draw of it would {drawn.fault}: these samples allow no better"


def _placed(samples: Samples) -> int:
    return 0 if samples.lonlat is None else int(np.isfinite(samples.lonlat).all(axis=1).sum())


def _parted(drawn: _Drawn, ground: Dependence) -> Iterator[str]:
    """What is known to make samples depend on one another, and is not kept apart."""
    samples, left, right = ground.samples, *ground.pairs.T
    own = drawn.split[left], drawn.split[right]
    if (own[0] != own[1])[(own[0] != UNLABELLED) & (own[1] != UNLABELLED)].any():
        yield "chips that overlap stand in different splits"
    if drawn.refused and ground.has_places and not drawn.kind.startswith(BLOCK):
        yield "places are not kept apart"
    if samples.group is not None and drawn.kind != GROUP:
        yield "groups are parted"


def _together(notes: Mapping[str, str]) -> Iterator[str]:
    """Notes of several schemes, equal ones in one sentence."""
    for note in dict.fromkeys(notes.values()):
        schemes = [name for name, own in notes.items() if own == note]
        yield f"split {in_a_row(schemes)}: {note}"
