"""Stand-ins for ``torch.cuda`` and for pinned memory, on the fake device."""

import threading
import types
from unittest import mock

import torch

from fake_gpu import graphs
from fake_gpu.on_device import OnDevice, register
from fake_gpu.tracing import Mark, traces

_pinned = {}
# Generators of the device, by what PyTorch knows them by inside; kept, so that none is reused.
of_device = {}
_local = threading.local()
# Devices that threads chose, in order.
chosen = []
NAME, MEMORY = "Fake GPU", 8 << 30


class Stream:
    """A queue of the device, by a name."""

    def __init__(self, device=None, priority=0, name=None):
        self.name = name or f"stream {id(self)}"
        self.device = torch.device("cuda", 0)

    def synchronize(self):
        _wait("Stream.synchronize")

    def wait_stream(self, other):
        for trace in traces():
            trace.orders.append((self.name, other.name))

    def wait_event(self, event):
        for trace in traces() if event.stream else ():
            trace.orders.append((self.name, event.stream))
            trace.awaited.append(event.mark)

    def record_event(self, event=None):
        event = event or Event()
        event.record(self)
        return event

    def query(self):
        return True

    def is_capturing(self):
        return graphs.capturing() is not None and current_stream() is self


class Event:
    """A mark in a queue, whose name is None until then; nobody waits for it before."""

    def __init__(self, enable_timing=False, blocking=False, interprocess=False):
        self.stream = self.mark = None

    def record(self, stream=None):
        self.stream = (stream or current_stream()).name
        for trace in traces():
            self.mark = Mark(self.stream, len(trace.copies_out), trace.n_kernels)
            trace.marks.append(self.mark)

    def synchronize(self):
        if self.stream:
            _wait("Event.synchronize")

    def wait(self, stream=None):
        pass

    def query(self):
        return True

    def elapsed_time(self, other):
        return 1.0


DEFAULT = Stream(name="default")


class Generator(torch.Generator):
    """A generator that says where it draws; on the CPU its draws are PyTorch's own."""

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, device="cpu")
        made._place = torch.device(device)
        made.is_captured = False
        if made._place.type == "cuda":
            of_device[made._cdata] = made
        return made

    @property
    def device(self):
        return self._place

    def clone_state(self):
        made = Generator(self._place)
        made.set_state(self.get_state())
        return made

    def graphsafe_set_state(self, other):
        self.set_state(other.get_state())
        self.is_captured = False
        return self


def current_stream(device=None):
    return getattr(_local, "stream", DEFAULT)


class stream:
    """A block whose work is queued on a stream; one that is never left leaves it as it is."""

    def __init__(self, wanted):
        self._wanted = wanted

    def __enter__(self):
        self._before, _local.stream = current_stream(), self._wanted or current_stream()

    def __exit__(self, *told):
        _local.stream = self._before


def pin(tensor):
    """A copy in pinned memory."""
    made = tensor.clone()
    _remember(made)
    return made


def is_pinned(tensor, device=None):
    start = tensor.untyped_storage().data_ptr()
    return start in _pinned or RUNTIME.holds(tensor)


class Runtime:
    """As much of the CUDA runtime as locks memory that is there already."""

    def __init__(self):
        self.locked, self.refuses = {}, False

    def cudaHostRegister(self, address, size, flags):
        if self.refuses:
            return 2
        self.locked[address] = size
        return 0

    def cudaHostUnregister(self, address):
        del self.locked[address]
        return 0

    def holds(self, tensor):
        first, last = tensor.data_ptr(), tensor.data_ptr() + tensor.nbytes
        return any(at <= first and last <= at + size for at, size in self.locked.items())


RUNTIME = Runtime()


def _remember(tensor):
    # Kept alive, so that nothing else is given its address.
    storage = tensor.untyped_storage()
    _pinned[storage.data_ptr()] = storage


def _wait(what):
    graphs.forbid(what)
    for trace in traces():
        trace.waits.append(what)


def _pinning(real):
    def factory(*args, pin_memory=False, **kwargs):
        made = real(*args, **kwargs)
        if pin_memory:
            _remember(made)
        return made

    return factory


def _from_data(real):
    # PyTorch copies what it made of numbers without asking the tensor's class.
    def tensor(data, *, device=None, **kwargs):
        made = real(data, **kwargs)
        return made if device is None else made.to(device)

    return tensor


def _counting(real):
    # These give their results a size only as they write them, which what wraps them would not see.
    def factory(*args, device=None, **kwargs):
        is_there = device is not None and torch.device(device).type == "cuda"
        made = real(*args, device="cpu" if is_there else device, **kwargs)
        if is_there:
            graphs.made(made)
        return OnDevice(made) if is_there else made

    return factory


def install():
    """Put everything in its place; ``torch.cuda`` then says that there is one device."""
    torch.__future__.set_swap_module_params_on_conversion(True)
    properties = types.SimpleNamespace(
        name=NAME, total_memory=MEMORY, major=9, minor=0, multi_processor_count=8
    )
    stand_ins = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "is_bf16_supported": lambda *_, **__: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": chosen.append,
        "get_device_name": lambda device=None: NAME,
        "get_device_capability": lambda device=None: (9, 0),
        "get_device_properties": lambda device=None: properties,
        "mem_get_info": lambda device=None: (MEMORY, MEMORY),
        "memory_allocated": lambda device=None: 0,
        "memory_reserved": lambda device=None: 0,
        "max_memory_allocated": lambda device=None: 0,
        "reset_peak_memory_stats": lambda device=None: None,
        "empty_cache": lambda: None,
        "synchronize": lambda device=None: _wait("torch.cuda.synchronize"),
        "manual_seed": lambda seed: None,
        "manual_seed_all": lambda seed: None,
        "get_rng_state": lambda device="cuda": torch.get_rng_state(),
        "set_rng_state": lambda state, device="cuda": None,
        "cudart": lambda: RUNTIME,
        "Stream": Stream,
        "Event": Event,
        "current_stream": current_stream,
        "default_stream": lambda device=None: DEFAULT,
        "stream": stream,
        "CUDAGraph": graphs.CUDAGraph,
        "is_current_stream_capturing": lambda: graphs.capturing() is not None,
    }
    for name, stand_in in stand_ins.items():
        mock.patch.object(torch.cuda, name, stand_in).start()
    # What PyTorch's own ``torch.cuda.graph`` and optimizers ask besides.
    mock.patch.object(torch._C, "_host_emptyCache", create=True).start()
    mock.patch.object(torch.accelerator, "current_stream", current_stream).start()
    mock.patch.object(torch, "Generator", Generator).start()
    mock.patch.object(torch.Tensor, "pin_memory", pin).start()
    mock.patch.object(torch.Tensor, "is_pinned", is_pinned).start()
    for name in ("empty", "zeros", "ones", "full", "randn", "empty_strided"):
        mock.patch.object(torch, name, _pinning(getattr(torch, name))).start()
    for name in ("arange", "linspace", "eye"):
        mock.patch.object(torch, name, _counting(getattr(torch, name))).start()
    mock.patch.object(torch, "tensor", _from_data(torch.tensor)).start()
    return register()
