"""What a piece of work has the device do: copies, waits, kernels."""

from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Copy:
    """One copy between host and device.

    Attributes:
        n_bytes: How much.
        blocks: Whether the host stands still until it is done: its memory is pageable, or nobody
            asked for anything else.
        stream: Where it is queued.
        dtype: Of what is copied.
    """

    n_bytes: int
    blocks: bool
    stream: str
    dtype: object


@dataclass(frozen=True)
class Mark:
    """What had been queued when an event was recorded.

    Attributes:
        stream: In which queue.
        copies_out: Copies to the host until then, on any stream.
        kernels: Operations until then.
    """

    stream: str
    copies_out: int
    kernels: int


@dataclass
class Trace:
    """Everything since the trace began.

    Attributes:
        copies_in: From the host to the device.
        copies_out: From the device to the host.
        waits: What the host waited for, in words; blocking copies are not among them.
        orders: Streams that wait for others: (which waits, for which).
        marks: Events that were recorded, in order.
        awaited: Of the events that a stream waits for, what had been queued at their record.
        recorded: Streams that use memory of another one, told so that it is kept for them.
        kernels: Launches by the name of the operation, how often; views are none, and neither is
            what is captured. A replay of a graph is one, whatever it holds.
        dtypes: Of all that was computed on the device.
    """

    copies_in: list = field(default_factory=list)
    copies_out: list = field(default_factory=list)
    waits: list = field(default_factory=list)
    orders: list = field(default_factory=list)
    marks: list = field(default_factory=list)
    awaited: list = field(default_factory=list)
    recorded: list = field(default_factory=list)
    kernels: dict = field(default_factory=dict)
    dtypes: set = field(default_factory=set)

    @property
    def blocking(self):
        return [copy for copy in (*self.copies_in, *self.copies_out) if copy.blocks]

    def count(self, name, times=1):
        self.kernels[name] = self.kernels.get(name, 0) + times

    @property
    def n_kernels(self):
        return sum(self.kernels.values())


_open = []


@contextmanager
def traced():
    """Trace a block, whatever thread works in it."""
    trace = Trace()
    _open.append(trace)
    try:
        yield trace
    finally:
        _open.remove(trace)


def traces():
    return tuple(_open)
