"""A training step that reads its inputs where they always stand: on CUDA a graph, replayed.

A step of many small operations costs the host one launch for each, a CUDA graph one for all of
them. On the CPU a step is a call.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from featbank.device import is_out_of_memory
from featbank.errors import FeatbankWarning
from featbank.probes.fitting.sgd import cosine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# As many as torch.cuda.make_graphed_callables runs first: they make the optimizer's state and
# cuBLAS's workspace, which must not be made in a capture.
EAGER_STEPS = 3
# A capture walks through the step once more, waits for the device, empties PyTorch's cache and has
# the driver build the graph: taken for the host's work of five steps (not measured), which a tenth
# of the replays pay for.
LEAST_REPLAYS = 50

# Graphs whose capture failed. PyTorch leaves its allocator with pointers to them (the comment in
# CUDAGraph::reset), so they are kept, and nothing more is captured in this process.
_failed: list[torch.cuda.CUDAGraph] = []


class StepInputs:
    """What changes from step to step: the samples and the share of the learning rates.

    On CUDA both stand in the same tensors throughout, since a graph reads where it first read; on
    the CPU they are what was given.

    Args:
        steps: Steps in all, >= 1.
        place: Where the step computes.

    Attributes:
        steps: Steps in all.
        rows: int64 indices of the samples, of equal shape at each step.
        share: Cosine of the step, in [0, 1]; a float64 tensor on CUDA.
    """

    rows: torch.Tensor
    share: float | torch.Tensor

    def __init__(self, steps: int, place: torch.device) -> None:
        self.steps = steps
        self._shares: torch.Tensor | None = None
        self._share = torch.zeros((), dtype=torch.float64, device=place)
        if place.type == "cuda":
            shares = torch.tensor([cosine(i, steps) for i in range(steps)], dtype=torch.float64)
            self._shares = shares.pin_memory().to(place, non_blocking=True)

    def set(self, step: int, rows: torch.Tensor) -> None:
        """Take the inputs of a step, the first of which is 0."""
        if self._shares is None:
            self.rows, self.share = rows, cosine(step, self.steps)
            return
        self.rows = rows.clone() if step == 0 else self.rows.copy_(rows)
        self.share = self._share.copy_(self._shares[step])


class GraphedStep:
    """A step that is called many times; on CUDA a graph of it is replayed after the first few.

    Each call is one step, also those that run before the capture; the capture itself runs
    nothing. What is replayed is queued on the current stream, as what follows it is.

    Args:
        step: Reads and writes tensors that stay where they are; waits for nothing.
        steps: Calls at most; where they are few, nothing is captured.
        place: Where it computes.
        generators: All that it draws from.
    """

    def __init__(
        self,
        step: Callable[[], None],
        *,
        steps: int,
        place: torch.device,
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        self._step, self._generators = step, generators
        self._graph: torch.cuda.CUDAGraph | None = None
        self._eager_left = EAGER_STEPS
        pays = place.type == "cuda" and steps >= EAGER_STEPS + LEAST_REPLAYS
        # None: nothing is to be captured, or has been tried.
        stream: Callable[[], torch.cuda.Stream] = torch.cuda.Stream
        self._side = stream() if pays and not _failed else None

    def __call__(self) -> None:
        """Do one step."""
        if self._side is not None and not self._eager_left:
            self._graph, self._side = self._captured(self._side), None
        if self._graph is not None:
            self._graph.replay()
        elif self._side is not None:
            self._run_beside(self._side)
        else:
            self._step()

    def _run_beside(self, side: torch.cuda.Stream) -> None:
        """Run the step on the stream of the capture, between what comes before and after it."""
        self._eager_left -= 1
        here = torch.cuda.current_stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            self._step()
        here.wait_stream(side)

    def _captured(self, side: torch.cuda.Stream) -> torch.cuda.CUDAGraph | None:
        """The step's graph; None where it could not be captured, and nothing has changed.

        Raises:
            OutOfMemoryError: The device has not the memory of a step.
        """
        graph = torch.cuda.CUDAGraph()
        before = [generator.clone_state() for generator in self._generators]
        for generator in self._generators:
            graph.register_generator_state(generator)
        try:
            self._record(graph, side)
        except RuntimeError as error:
            _failed.append(graph)
            if is_out_of_memory(error):
                raise
            # Those that were registered may think that they are captured for good.
            for generator, state in zip(self._generators, before, strict=True):
                generator.graphsafe_set_state(state)
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            warnings.warn(
                f"no CUDA graph of a training step ({said}); it goes on operation by operation",
                FeatbankWarning,
                stacklevel=4,
            )
            return None
        return graph

    def _record(self, graph: torch.cuda.CUDAGraph, side: torch.cuda.Stream) -> None:
        # The outer block sets the stream right: a capture that fails leaves its own as the current
        # one. Other threads may use the device meanwhile.
        with (
            torch.cuda.stream(torch.cuda.current_stream()),
            torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"),
        ):
            self._step()
