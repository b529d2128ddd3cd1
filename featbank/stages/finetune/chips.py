"""Labelled chips in batches: read ahead, normalised and distorted on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from featbank.errors import ContractError, RefusedError
from featbank.inputs.kept_chips import KeptChips, fits
from featbank.inputs.preprocess import Preprocess
from featbank.inputs.reader_pool import PoolConfig
from featbank.methods.parts.bundle import Bundle
from featbank.methods.parts.draws import Draws
from featbank.methods.views.channel_facts import ChannelFacts, channel_facts
from featbank.methods.views.crop_recipe import CropRecipe
from featbank.methods.views.maker import ViewMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from featbank.inputs.reading import Group, ReadBatch
    from featbank.methods.views.maker import DrawnViews
    from featbank.stages.finetune.plan import FinetunePlan

_WHOLE = "whole"


class LabelledChips:
    """Gives batches of chips and their labels.

    Args:
        plan: The run.
        device: Where batches end up.
        tell: Takes lines that a person should see.
    """

    def __init__(
        self,
        plan: FinetunePlan,
        device: torch.device,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._plan = plan
        self._device = device
        self._prepare = Preprocess(plan.embed.inputs, device)
        self._views = ViewMaker([_distortion(plan)], _facts(plan))
        self._refused: dict[int, str] = {}
        chip_bytes, chips = plan.embed.look.chip_bytes, sum(map(len, plan.rows.values()))
        self._chips = KeptChips(
            PoolConfig(
                reader=plan.embed.imagery.dataset.reader,
                contract=plan.embed.imagery.contract,
                workers=plan.embed.imagery.workers,
                slot_bytes=chip_bytes * plan.options.batch_size,
                tell=tell,
            ),
            is_keeping=fits(chip_bytes, chips, plan.options.cache_gb),
        )

    @property
    def waited_s(self) -> float:
        """Seconds that were spent waiting for chips."""
        return self._chips.waited_s

    def close(self) -> None:
        """Stop the reader processes."""
        self._chips.close()

    def train(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """(b, C, H, W) distorted chips and their labels, in an order of the epoch's own."""
        rows = self._plan.rows["train"]
        seed = self._plan.options.seed
        order = rows[np.random.default_rng((seed, epoch)).permutation(len(rows))]
        for start, (cut, batch) in enumerate(self._read(order)):
            step, size = epoch * len(rows) + start, self._size_of(batch)
            chips = sum(len(group.rows) for group in batch.groups)
            draws = Draws(seed=seed, step=step, total=chips, rows=range(chips))
            x, y, drawn = self._moved(cut, batch, self._views.draw(size, draws))
            yield self._views(x, drawn)[_WHOLE], y

    def plain(self, use: str) -> Iterator[tuple[Tensor, Tensor]]:
        """(b, C, H, W) chips as they are and their labels, in row order."""
        for cut, batch in self._read(self._plan.rows[use]):
            self._size_of(batch)
            x, y, _ = self._moved(cut, batch, {})
            yield x, y

    def _read(self, rows: NDArray[np.intp]) -> Iterator[tuple[Sequence[int], ReadBatch]]:
        size = self._plan.options.batch_size
        cuts = [rows[start : start + size].tolist() for start in range(0, len(rows), size)]
        for cut, batch in zip(cuts, self._chips.read(cuts), strict=True):
            self._count(cut, batch)
            if batch.groups:
                yield cut, batch

    def _size_of(self, batch: ReadBatch) -> tuple[int, int]:
        """Height and width of the network's input of the chips."""
        sizes = {self._prepare.size(_tensors(group)) for group in batch.groups}
        if len(sizes) > 1:
            raise ContractError(
                self._plan.embed.imagery.dataset.name,
                "its chips differ in size",
                "one size for fine-tuning",
                "Pass --image-size.",
            )
        return sizes.pop()

    def _moved(
        self, cut: Sequence[int], batch: ReadBatch, drawn: DrawnViews
    ) -> tuple[Tensor, Tensor, DrawnViews]:
        """Chips of all sizes together, labels and what is drawn, on the device by one copy.

        Refused chips are left out with their labels.
        """
        order = np.concatenate([group.rows for group in batch.groups])
        labels = torch.from_numpy(self._plan.targets(np.asarray(cut)[order]))
        planes = tuple(_tensors(group) for group in batch.groups)
        planes, y, drawn = Bundle((planes, labels, drawn), self._device).moved()
        return torch.cat([self._prepare(each) for each in planes]), y, drawn

    def _count(self, cut: Sequence[int], batch: ReadBatch) -> None:
        for position, why in batch.refused.items():
            self._refused[cut[position]] = why
        if len(self._refused) <= self._plan.embed.max_refused:
            return
        dataset, row = self._plan.embed.imagery.dataset, min(self._refused)
        raise RefusedError(
            dataset.name,
            f"{len(self._refused)} chips are refused so far; the first is "
            f"{dataset.samples.ids[row]}: {self._refused[row]}",
            f"at most {self._plan.embed.max_refused} refused chips "
            f"(--max-invalid {self._plan.options.max_invalid:g})",
            "Repair or remove them, or raise --max-invalid to train without them.",
        )


def _tensors(group: Group) -> dict[str, Tensor]:
    return {name: torch.from_numpy(pixels) for name, pixels in group.planes.items()}


def _distortion(plan: FinetunePlan) -> CropRecipe:
    """The whole chip, mirrored, turned, brighter or darker."""
    options = plan.options
    return CropRecipe(
        name=_WHOLE,
        count=1,
        size_px=_size(plan),
        scale=(1.0, 1.0),
        ratio=(1.0, 1.0),
        flip=options.flip,
        quarter_turns=options.quarter_turns,
        brightness=options.colour,
        contrast=options.colour,
        colour=0.5 if options.colour else 0.0,
    )


def _size(plan: FinetunePlan) -> int:
    size = plan.embed.inputs.image_size
    if size is None:
        raise ContractError(
            plan.options.model,
            "it takes chips at their native size",
            "one size for fine-tuning",
            "Pass --image-size.",
        )
    return size


def _facts(plan: FinetunePlan) -> tuple[ChannelFacts, ...]:
    statistics = plan.embed.inputs.statistics
    return channel_facts(plan.embed.adapted.channels, statistics.mean, statistics.std)
