"""The stream of chips: each epoch in an order of its own, read ahead, from any step on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from featbank.errors import RefusedError, UsageError
from featbank.inputs.kept_chips import KeptChips, fits
from featbank.inputs.reader_pool import PoolConfig
from featbank.stages.pretrain.steps.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.inputs.reading import Group, ReadBatch
    from featbank.methods.views.maker import DrawnViews
    from featbank.stages.pretrain.plan import PretrainPlan
    from featbank.stages.pretrain.scale.parallel import Place

T = TypeVar("T")
Chips = dict[str, torch.Tensor]


@lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """A permutation of n chips that depends on nothing but the seed and the epoch."""
    return np.random.default_rng((seed, epoch)).permutation(n)


def step_positions(
    step: int, *, seed: int, n: int, batch_size: int, steps_per_epoch: int
) -> NDArray[np.int64]:
    """(batch_size,) positions of a step's chips; the last incomplete batch of an epoch is dropped.

    Args:
        step: From 0 on, over the whole run.
        seed: Of the run.
        n: Chips that are trained on.
        batch_size: Chips of a step.
        steps_per_epoch: At most n // batch_size.
    """
    epoch, place = divmod(step, steps_per_epoch)
    return epoch_order(seed, epoch, n)[place * batch_size : (place + 1) * batch_size]


@dataclass(frozen=True)
class Batch:
    """This process's chips of one step.

    Attributes:
        groups: (b, C_g, H_g, W_g) by grid in native dtype, chips of one size each.
        first: Place of the first chip in the batch of all processes.
    """

    groups: tuple[Chips, ...]
    first: int

    def __len__(self) -> int:
        return sum(_length(group) for group in self.groups)

    def parts(self, size: int) -> Iterator[Batch]:
        """The chips in micro-batches of ``size``, the last may be smaller."""
        for start in range(0, len(self), size):
            yield Batch(tuple(self._slices(start, start + size)), self.first + start)

    @property
    def places(self) -> range:
        """Places of the chips in the batch of all processes."""
        return range(self.first, self.first + len(self))

    def placed(self) -> Iterator[tuple[range, Chips]]:
        """Each group with the places of its chips."""
        first = self.first
        for group in self.groups:
            yield range(first, first + _length(group)), group
            first += _length(group)

    def pinned(self, device: torch.device) -> Batch:
        """The chips in memory that a GPU copies from while the host goes on."""
        if device.type != "cuda":
            return self
        return self._changed(Tensor.pin_memory)

    def moved(self, device: torch.device) -> Batch:
        """The chips on a device; pinned ones are not waited for."""
        return self._changed(lambda pixels: pixels.to(device, non_blocking=True))

    def _changed(self, change: Callable[[Tensor], Tensor]) -> Batch:
        groups = ({name: change(p) for name, p in group.items()} for group in self.groups)
        return Batch(tuple(groups), self.first)

    def _slices(self, start: int, stop: int) -> Iterator[Chips]:
        for group in self.groups:
            length = _length(group)
            if start < length and stop > 0:
                low, high = max(start, 0), min(stop, length)
                yield {name: pixels[low:high] for name, pixels in group.items()}
            start, stop = start - length, stop - length


def _length(group: Mapping[str, Tensor]) -> int:
    return len(next(iter(group.values())))


class Feed:
    """Reads the batches of a run in order, in processes that run ahead of the device.

    A refused chip's place is taken by a good one of the same batch, with its own random crops, so
    that batches keep their size: sums over processes need that, and so do compiled networks.

    Args:
        plan: The run.
        place: Which part of each batch is read here.
        tell: Takes lines that a person should see.

    Raises:
        UsageError: Fewer chips than one batch, or a batch that processes cannot share evenly.
    """

    def __init__(
        self, plan: PretrainPlan, place: Place, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._plan = plan
        self._place = place
        self._share = _share(plan, place.world)
        self._refused: dict[int, str] = {}
        self._ahead: Ahead[object] | None = None
        chip_bytes = plan.look.chip_bytes
        self._chips = KeptChips(
            PoolConfig(
                reader=plan.imagery.dataset.reader,
                contract=plan.imagery.contract,
                workers=plan.imagery.workers,
                slot_bytes=chip_bytes * self._share,
                tell=tell,
            ),
            # Every process sees all chips in time.
            is_keeping=fits(chip_bytes * place.world, len(plan.rows), plan.options.cache_gb),
        )

    @property
    def waited_s(self) -> float:
        """Seconds that this process has waited for chips so far.

        Where a thread makes steps ready, what it waits for holds nothing up by itself.
        """
        return self._chips.waited_s if self._ahead is None else self._ahead.waited_s

    @property
    def is_keeping(self) -> bool:
        """Whether chips are read once and kept in memory."""
        return self._chips.is_keeping

    @property
    def refused(self) -> Mapping[int, str]:
        """Reason by row of every chip refused so far."""
        return self._refused

    def close(self) -> None:
        """Stop what runs ahead: the thread, then the reader processes that it takes chips of."""
        if self._ahead is not None:
            self._ahead.close()
        self._chips.close()

    def batches(self, start: int) -> Iterator[Batch]:
        """Batches of the steps from ``start`` to the end of the run, on the host.

        Pixels may lie in memory that the next batch takes: they hold until then.

        Raises:
            RefusedError: More chips are refused than allowed, or all of a batch.
            ReadError: The disk or network failed.
        """
        for steps in self._passes(start):
            rows = (self._rows(step) for step in steps)
            for step, batch in zip(steps, self._chips.read(rows), strict=True):
                self._count(self._rows(step) if batch.refused else [], batch)
                groups = _filled(batch.groups, len(batch.refused))
                yield Batch(tuple(map(_tensors, groups)), self._place.rank * self._share)

    def ready(self, start: int, make: Callable[[int, Batch], T]) -> Iterator[T]:
        """What is made of the batch of each step from ``start`` on.

        For a GPU it is made one step ahead in a thread, and must not lie in the batch's memory.

        Args:
            start: First step.
            make: Takes a step and its batch on the host.
        """
        made = (make(step, batch) for step, batch in enumerate(self.batches(start), start))
        if self._place.device.type != "cuda":
            yield from made
            return
        ahead = Ahead(made, self._place.device)
        self._ahead = cast("Ahead[object]", ahead)
        try:
            yield from ahead
        finally:
            ahead.close()

    def _passes(self, start: int) -> Iterator[range]:
        """Steps of each epoch where its chips may be in memory by then; else of the whole run."""
        stop, length = self._plan.length.steps, self._plan.length.steps_per_epoch
        if not self.is_keeping:
            yield range(start, stop)
            return
        for first in range(start - start % length, stop, length):
            yield range(max(first, start), min(first + length, stop))

    def _rows(self, step: int) -> list[int]:
        plan, length = self._plan, self._plan.length
        positions = step_positions(
            step,
            seed=plan.options.seed,
            n=len(plan.rows),
            batch_size=length.batch_size,
            steps_per_epoch=length.steps_per_epoch,
        )
        first = self._place.rank * self._share
        rows: list[int] = plan.rows[positions[first : first + self._share]].tolist()
        return rows

    def _count(self, rows: Sequence[int], batch: ReadBatch) -> None:
        for position, why in batch.refused.items():
            self._refused[rows[position]] = why
        plan = self._plan
        most = int(plan.options.max_invalid * len(plan.rows))
        if len(self._refused) <= most and batch.groups:
            return
        row = min(self._refused)
        name = plan.imagery.dataset.samples.ids[row]
        raise RefusedError(
            plan.imagery.dataset.name,
            f"{len(self._refused)} of {len(plan.rows)} chips are refused so far; the first is "
            f"{name}: {self._refused[row]}",
            f"at most {most} refused chips (--max-invalid {plan.options.max_invalid:g}), and a "
            "good chip in each batch",
            "Repair or remove them, or raise --max-invalid to train without them.",
        )


def _share(plan: PretrainPlan, world: int) -> int:
    """Chips of a step that each process reads."""
    size = plan.length.batch_size
    if size % world:
        raise UsageError(
            f"--batch-size {size}",
            f"is not shared evenly by {world} processes",
            f"a multiple of {world}",
            "Correct --batch-size or --nproc-per-node.",
        )
    if plan.length.steps_per_epoch * size > len(plan.rows) or plan.length.steps_per_epoch < 1:
        raise UsageError(
            f"--batch-size {size}",
            f"{len(plan.rows)} chips are to be trained on",
            "at least one whole batch",
            "Lower --batch-size, or take more chips.",
        )
    return size // world


def _filled(groups: Sequence[Group], missing: int) -> list[Mapping[str, NDArray[np.generic]]]:
    """Pixels of the groups; the first group repeats chips in place of those that are missing."""
    pixels = [group.planes for group in groups]
    if missing:
        count = len(groups[0].rows)
        chosen = np.concatenate([np.arange(count), np.arange(missing) % count])
        pixels[0] = {name: values[chosen] for name, values in pixels[0].items()}
    return list(pixels)


def _tensors(pixels: Mapping[str, NDArray[np.generic]]) -> Chips:
    return {name: torch.from_numpy(values) for name, values in pixels.items()}


def made_views(
    batch: Batch,
    drawn: Sequence[DrawnViews],
    prepare: Callable[[Mapping[str, Tensor]], Tensor],
    views: Callable[[Tensor, DrawnViews], Mapping[str, Tensor]],
) -> dict[str, Tensor]:
    """Views of all chips of a batch, whatever their sizes.

    Args:
        batch: The chips.
        drawn: What is drawn for each of its groups.
        prepare: Makes normalised channels of native pixels.
        views: Makes views of channels.

    Returns:
        (count * b, C, s, s) by crop, all chips of the first crop, then of the second.
    """
    made = [
        (_length(group), views(prepare(group), own))
        for group, own in zip(batch.groups, drawn, strict=True)
    ]
    return {name: _joined([(n, parts[name]) for n, parts in made]) for name in made[0][1]}


def _joined(parts: Sequence[tuple[int, Tensor]]) -> Tensor:
    if len(parts) == 1:
        return parts[0][1]
    # (count * n, …) -> (count, n, …), so that a crop's chips of all groups stand together.
    split = [views.reshape(-1, n, *views.shape[1:]) for n, views in parts]
    return torch.cat(split, dim=1).flatten(0, 1)
