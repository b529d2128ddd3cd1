"""What each step gave, on its way to the logs: the device is never waited for."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from featbank.stages.pretrain.scale.arriving import Arriving
from featbank.stages.pretrain.scale.parallel import mean_over_processes, of_the_first
from featbank.stages.pretrain.watching.watch import (
    EVERY,
    RANK,
    SPREAD,
    effective_rank,
    feature_figures,
    feature_products,
    target_figures,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from featbank.methods.method import StepOutput
    from featbank.stages.pretrain.scale.parallel import Place

Row = dict[str, float]
# A device runs this many steps ahead of the log at most.
_AHEAD = 8


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """One step of the loop.

    Attributes:
        step: Its number, from 0.
        numbers: Values of the schedules.
        outputs: Of each micro-batch.
        shares: Part of the chips in each.
        gradient_norm: Before clipping.
    """

    step: int
    numbers: Mapping[str, float]
    outputs: Sequence[StepOutput]
    shares: Sequence[float]
    gradient_norm: Tensor


@dataclass(frozen=True)
class _Pending:
    row: Row
    names: tuple[str, ...]
    # Numbers of these names, and of a GPU's features the products, whose rank is yet to be found.
    numbers: Arriving

    def settled(self) -> Row:
        values, *products = self.numbers.read()
        row = {**self.row, **dict(zip(self.names, values.tolist(), strict=True))}
        if products:
            row[RANK] = float(effective_rank(products[0]))
        return row


class Recorder:
    """Makes one row of each step, and gives it on once its numbers have arrived.

    Args:
        place: Numbers are means over processes; every process has the same rows.
        batch_size: Chips of a step, over all processes.
        steps_per_epoch: Of the run.
        waited_s: Gives the seconds waited for chips so far.
    """

    def __init__(
        self,
        place: Place,
        *,
        batch_size: int,
        steps_per_epoch: int,
        waited_s: Callable[[], float],
    ) -> None:
        self._place = place
        self._batch_size = batch_size
        self._steps_per_epoch = steps_per_epoch
        self._waited_s = waited_s
        self._pending: deque[_Pending] = deque()
        self._time, self._waited = time.perf_counter(), waited_s()

    def add(self, result: StepResult) -> Iterator[Row]:
        """Take a step; give the rows that have arrived, in order."""
        self._pending.append(self._sent(result))
        while self._pending and (self._pending[0].numbers.are_there or len(self._pending) > _AHEAD):
            yield self._pending.popleft().settled()

    def settle(self) -> Iterator[Row]:
        """Give the rows of all steps taken so far."""
        while self._pending:
            yield self._pending.popleft().settled()

    def leave_out_time(self) -> None:
        """Count the time since the last step for none: something else was done in it."""
        self._time = time.perf_counter()

    def _sent(self, result: StepResult) -> _Pending:
        scalars: dict[str, Tensor] = _scalars(result)
        products: tuple[Tensor, ...] = ()
        if result.step % EVERY == 0:
            figures, products = self._figures(result)
            scalars |= figures
        names = tuple(scalars)
        device = result.gradient_norm.device
        values = torch.stack([scalars[name].detach().float().to(device) for name in names])
        values = mean_over_processes(values, self._place)
        return _Pending(self._host_row(result), names, Arriving(values, *products))

    def _figures(self, result: StepResult) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
        """What shows a collapse; of a GPU's features the products, whose rank the host finds."""
        features = torch.cat([output.features for output in result.outputs])
        products: tuple[Tensor, ...] = ()
        if features.device.type == "cuda":
            of_features, spread = feature_products(features)
            # Every process finds the same rank, since each judges the run by it.
            products, figures = (of_the_first(of_features, self._place),), {SPREAD: spread}
        else:
            figures = feature_figures(features)
        targets = [output.targets for output in result.outputs if output.targets is not None]
        return figures | (target_figures(torch.cat(targets)) if targets else {}), products

    def _host_row(self, result: StepResult) -> Row:
        now, waited = time.perf_counter(), self._waited_s()
        seconds = max(now - self._time, 1e-9)
        row = {
            "step": result.step,
            "epoch": result.step / self._steps_per_epoch,
            **result.numbers,
            "images_per_s": self._batch_size / seconds,
            "waited_share": min((waited - self._waited) / seconds, 1.0),
        }
        self._time, self._waited = now, waited
        return row


def _scalars(result: StepResult) -> dict[str, Tensor]:
    outputs, shares = result.outputs, result.shares
    scalars = {"loss": _mean([output.loss.detach() for output in outputs], shares)}
    for name in outputs[0].parts:
        parts = [torch.as_tensor(output.parts[name]).detach() for output in outputs]
        scalars[f"loss/{name}"] = _mean(parts, shares)
    scalars["gradient_norm"] = result.gradient_norm
    return scalars


def _mean(values: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    return torch.stack(
        [value.float() * share for value, share in zip(values, shares, strict=True)]
    ).sum()
