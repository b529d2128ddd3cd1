"""When a run is saved: often enough that little is lost, seldom enough that it costs little."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import torch

from featbank.methods.parts.ranks import all_max
from featbank.stages.pretrain.scale.arriving import Arriving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from featbank.stages.pretrain.plan import PretrainPlan
    from featbank.stages.pretrain.scale.parallel import Place

# Nobody misses a minute of training, and small runs are not to spend their time on the disk.
LEAST_S = 60.0
# Writing states may take this share of a run.
SHARE = 0.02
# Steps between two looks of several processes at the first one's clock. What is asked at one look
# is read at the next, when it has long arrived: no process waits for its GPU.
LOOK_EVERY = 10


class SaveDue:
    """Says after which steps a run is saved.

    By the clock, unless the plan asks for epochs: an epoch may take a second or a day.

    Args:
        plan: The run.
        place: All processes save after the same steps; the first one's clock decides.
        clock: Seconds that pass.
    """

    def __init__(
        self, plan: PretrainPlan, place: Place, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = plan.options
        self._steps = plan.length.steps
        self._steps_per_epoch = plan.length.steps_per_epoch
        self._place = place
        self._clock = clock
        self._next_s = clock() + LEAST_S
        self._asked: Arriving | None = None

    def __call__(self, done: int) -> bool:
        """Whether to save now that so many steps are done.

        Every process of a run has to ask after each step.
        """
        is_due = self._ends_or_is_time(done)
        if is_due:
            # What was asked before this state would have another written right behind it.
            self._asked = None
        return is_due

    def is_probed(self, done: int) -> bool:
        """Whether the encoder of this step is probed."""
        return self._ends(done, self._options.probe_every)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Take the time of writing a state; the next one waits the longer, the longer this took."""
        start = self._clock()
        yield
        end = self._clock()
        self._next_s = end + max(LEAST_S, (end - start) / SHARE)

    def _ends_or_is_time(self, done: int) -> bool:
        if done == self._steps or self.is_probed(done):
            return True
        if self._options.save_every is not None:
            return self._ends(done, self._options.save_every)
        return self._is_time(done)

    def _ends(self, done: int, epochs: int) -> bool:
        return epochs > 0 and done % (epochs * self._steps_per_epoch) == 0

    def _is_time(self, done: int) -> bool:
        is_time = self._place.is_first and self._clock() >= self._next_s
        if self._place.world == 1:
            return is_time
        if done % LOOK_EVERY:
            return False
        before = self._asked
        self._asked = Arriving(all_max(torch.full((), float(is_time), device=self._place.device)))
        return before is not None and bool(before.read()[0])
