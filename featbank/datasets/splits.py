"""Split schemes for datasets that publish none: seeded 60/20/20, by group or place where known.

A scheme is named by what it keeps apart: ``block-0.1deg-0``, ``block-1km-0``, ``group-0``,
``overlap-0``, ``stratified-0``. The first five are also ``random-0`` … ``random-4``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._split_judge import SplitJudge
from featbank.datasets._split_rungs import BLOCK, STRATIFIED, Ground
from featbank.datasets.split_gaps import listed
from featbank.samples import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from featbank.datasets._split_rungs import Rung
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
    """
    if samples.splits or not len(samples):
        return samples
    judge, ground = SplitJudge(samples), Ground(samples)
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


def _draw(
    ground: Ground, lower: Callable[[], list[Rung]], judge: SplitJudge, seed: int
) -> _Drawn:
    """The first way down the ladder that is not degenerate, else the last of all."""
    found = _on(ground.own_rung, judge, seed)
    refused: dict[str, str] = {}
    rungs = iter([*lower(), ground.last_rung]) if found.fault else iter(())
    for rung in rungs:
        refused.setdefault(found.kind, found.fault)
        found = _on(rung, judge, seed)
        if not found.fault:
            break
    return replace(found, refused={k: why for k, why in refused.items() if k != found.kind})


def _on(rung: Rung, judge: SplitJudge, seed: int) -> _Drawn:
    """The seed's own draw where it can be worked with, else the best of all."""
    ways = rung.ways(judge, seed)
    own = next(ways)
    if not judge.fault(own):
        return _Drawn(kind=rung.kind, split=own, fault="")
    best = min([own, *ways], key=lambda split: (bool(judge.fault(split)), judge.rank(split)))
    return _Drawn(kind=rung.kind, split=best, fault=judge.fault(best))


def _notes(drawn: _Drawn, ground: Ground) -> Iterator[str]:
    samples = ground.samples
    by_fault: dict[str, list[str]] = {}
    for kind, fault in drawn.refused.items():
        by_fault.setdefault(fault, []).append(kind)
    for fault, kinds in by_fault.items():
        yield f"all draws of {listed(kinds)} {fault}"
    yield from _parted(drawn, ground)
    if left_out := int((drawn.split == UNLABELLED).sum()):
        yield f"{left_out} samples that overlap another split are left out"
    if drawn.kind.startswith(BLOCK) and samples.lonlat is not None:
        lost = int((~np.isfinite(samples.lonlat).all(axis=1)).sum())
        if lost:
            yield f"{lost} of {len(samples)} samples have no known place"
    if drawn.fault:
        yield f"its own draws {drawn.fault} too: {len(samples)} samples allow no better"


def _parted(drawn: _Drawn, ground: Ground) -> Iterator[str]:
    """What is known to make samples depend on one another, and is not kept apart."""
    samples, left, right = ground.samples, *ground.pairs.T
    own = drawn.split[left], drawn.split[right]
    if (own[0] != own[1])[(own[0] != UNLABELLED) & (own[1] != UNLABELLED)].any():
        yield "chips that overlap stand in different splits"
    if drawn.refused and drawn.kind == STRATIFIED and ground.has_places:
        yield "test samples are neighbours of train samples"
    if drawn.refused and samples.group is not None:
        yield "groups are parted"


def _together(notes: Mapping[str, str]) -> Iterator[str]:
    """Notes of several schemes, equal ones in one sentence."""
    for note in dict.fromkeys(notes.values()):
        schemes = [name for name, own in notes.items() if own == note]
        yield f"split {listed(schemes)}: {note}"
