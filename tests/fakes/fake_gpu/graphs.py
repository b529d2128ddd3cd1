"""A stand-in for ``torch.cuda.CUDAGraph``; ``torch.cuda.graph`` above it is PyTorch's own.

While a graph is captured each operation runs, so that there is something of the right shape to go
on with, and is recorded; what it wrote is put back at the end, since nothing runs in a true
capture. A replay runs the same operations on the very tensors of the capture.
"""

import threading
from dataclasses import dataclass

import torch
from torch.utils._pytree import tree_leaves

from fake_gpu.tracing import traces

_local = threading.local()
aten = torch.ops.aten


def capturing():
    """The capture that is underway in this thread, or None."""
    return getattr(_local, "capture", None)


def forbid(what):
    """Refuse what the device cannot record, and spoil the capture, as CUDA does.

    Raises:
        RuntimeError: A capture is underway.
    """
    if capturing() is not None:
        capturing().is_spoilt = True
        raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing: {what}")


def run(func, args, kwargs):
    """An operation on what tensors of the device hold, recorded where a capture is underway."""
    capture = capturing()
    return func(*args, **kwargs) if capture is None else capture.run(func, args, kwargs)


def made(held):
    """Values that were there without an operation; a replay writes them anew."""
    if capturing() is not None:
        run(aten.copy_.default, (held, held.clone()), {})


def drawn_from(generator):
    """A generator of the device is about to draw.

    Raises:
        RuntimeError: It is not registered with the graph, or was with one that failed.
    """
    capture = capturing()
    if capture is None and generator.is_captured:
        raise RuntimeError("Offset increment outside graph capture encountered unexpectedly.")
    if capture is not None:
        if generator not in capture.states:
            raise RuntimeError(
                "Attempt to increase offset for a CUDA generator not in capture mode."
            )
        capture.drawing.add(generator)


def written(func, args, kwargs):
    """What an operation writes to among its arguments."""
    given = {a.name: v for a, v in zip(func._schema.arguments, args, strict=False)} | kwargs
    names = [a.name for a in func._schema.arguments if a.alias_info and a.alias_info.is_write]
    return [given[name] for name in names if name in given]


@dataclass
class Operation:
    func: object
    args: tuple
    kwargs: dict
    out: object

    def replay(self):
        out = self.func(*self.args, **self.kwargs)
        for mine, new in zip(tree_leaves(self.out), tree_leaves(out), strict=True):
            if isinstance(mine, torch.Tensor) and mine.data_ptr() != new.data_ptr():
                mine.copy_(new)


class Capture:
    """What is recorded, and how everything was before.

    Attributes:
        operations: In order; views are none.
        states: Of the generators that are registered, when it began.
        drawing: Those of them that drew.
        is_spoilt: Whether something was asked that cannot be recorded.
    """

    def __init__(self, generators):
        self.operations, self.drawing, self.is_spoilt = [], set(), False
        self.states = {generator: generator.get_state() for generator in generators}
        self._default, self._before = torch.get_rng_state(), {}

    def run(self, func, args, kwargs):
        for tensor in tree_leaves(written(func, args, kwargs)):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._before:
                self._before[storage.data_ptr()] = (storage, storage.clone())
        out = func(*args, **kwargs)
        if not func.is_view:
            self.operations.append(Operation(func, args, kwargs, out))
        return out

    def undo(self):
        for storage, before in self._before.values():
            storage.copy_(before)
        for generator, state in self.states.items():
            generator.set_state(state)
        torch.set_rng_state(self._default)


class CUDAGraph:
    """A graph of the fake device.

    Attributes:
        n_operations: Recorded.
    """

    def __init__(self, keep_graph=False):
        self._generators, self._capture, self._operations = [], None, None

    @property
    def n_operations(self):
        return len(self._operations)

    def register_generator_state(self, generator):
        if capturing() is not None:
            raise RuntimeError("Cannot register the state during capturing stage.")
        self._generators.append(generator)

    def capture_begin(self, pool=None, capture_error_mode="global", check_input_liveness=False):
        from fake_gpu.cuda import DEFAULT, current_stream

        if self._operations is not None:
            raise RuntimeError("This CUDAGraph instance already owns a captured graph.")
        if current_stream() is DEFAULT:
            raise RuntimeError("CUDA graphs must be captured on a non-default stream.")
        forbid("capture_begin")
        self.error_mode = capture_error_mode
        for generator in self._generators:
            generator.is_captured = True
        _local.capture = Capture(self._generators)

    def capture_end(self):
        capture, _local.capture = capturing(), None
        capture.undo()
        if capture.is_spoilt:
            # Up to 2.12 PyTorch leaves the generators as they are then.
            raise RuntimeError(
                "CUDA error: operation failed due to a previous error during capture"
            )
        for generator in self._generators:
            generator.is_captured = False
        self._operations, self._drawing = capture.operations, capture.drawing

    def replay(self):
        forbid("replay")
        if self._operations is None:
            raise RuntimeError("Called CUDAGraph::replay without a preceding successful capture.")
        for operation in self._operations:
            operation.replay()
        for trace in traces():
            trace.count("CUDAGraph.replay")
            # PyTorch tells the graph the seed and the offset of each generator that draws in it.
            trace.count("CUDAGraph.replay: fill_", 2 * len(self._drawing))

    def reset(self):
        self._operations = None
