"""Tensors that say they are on a CUDA device and hold their values on the CPU.

What a device refuses is refused: operands on two devices, a generator of another one. What it
makes the host wait for is counted (``tracing.py``).
"""

from functools import cache

import torch
from torch.utils._pytree import tree_leaves, tree_map

from fake_gpu import graphs
from fake_gpu.tracing import Copy, traces

aten = torch.ops.aten
# Operations whose size of result, or whose answer, the host must have before it goes on.
_WAITING = {
    aten._local_scalar_dense.default,
    aten.equal.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten._unique2.default,
    aten.unique_dim.default,
    aten.unique_consecutive.default,
    aten.repeat_interleave.Tensor,
    aten.bincount.default,
    # These look at whether they converged.
    aten._linalg_eigh.default,
    aten._linalg_svd.default,
}
_INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default,
             aten._index_put_impl_.default}  # fmt: skip
# Take a number from the host whatever else they are given.
_FILLING = {aten.fill_.Tensor}
# Factories whose device the caller gives; everything else computes where its operands are.
_FUSED_CHOICE = aten._fused_sdp_choice.default


class OnDevice(torch.Tensor):
    """A tensor of the device."""

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device="cuda:0",
        )

    def __init__(self, held):
        self.held = held

    def record_stream(self, stream):
        for trace in traces():
            trace.recorded.append(stream.name)

    def __repr__(self):
        return f"OnDevice({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if torch.is_inference_mode_enabled() and _is_composite(func):
            # There they come whole, as ``item`` and ``to``: their parts are what is counted.
            return func.decompose(*args, **kwargs)
        if func is aten.copy_.default:
            return _copied(*args, **kwargs)
        if func is aten._to_copy.default and _place(kwargs) == "cpu":
            return _to_host(*args, **kwargs)
        if func is aten._has_compatible_shallow_copy_type.default:
            return False
        if func is _FUSED_CHOICE:
            return 0  # the plain one: kernels of the device are none of the CPU's
        _require_one_device(func, args, kwargs)
        _count(func, args)
        place = _place(kwargs)
        plain = {**tree_map(_held, kwargs), **({"device": "cpu"} if place else {})}
        out = graphs.run(func, tree_map(_held, args), plain)
        if place == "cpu":
            return out
        _note_dtypes(out)
        written = _written(func, args, kwargs)
        if written is not None:
            return written
        # PyTorch keeps count of the versions of a view of what is no inference tensor.
        is_counted = func.is_view and not args[0].is_inference()
        with torch.inference_mode(torch.is_inference_mode_enabled() and not is_counted):
            return tree_map(_wrapped, out)


@cache
def _is_composite(func):
    return torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd")


def _written(func, args, kwargs):
    """What an operation in place, or with an ``out``, gives back: the very tensors given to it."""
    told = [each.alias_info for each in func._schema.returns]
    if not told or not all(alias is not None and alias.is_write for alias in told):
        return None
    found = graphs.written(func, args, kwargs)
    return found[0] if len(found) == 1 else tuple(found)


def _held(value):
    return value.held if isinstance(value, OnDevice) else value


def _wrapped(value):
    return OnDevice(value) if isinstance(value, torch.Tensor) else value


def _place(kwargs):
    place = kwargs.get("device")
    return None if place is None else torch.device(place).type


def _copied(target, source, non_blocking=False):
    """``copy_`` between devices, or on one."""
    if isinstance(target, OnDevice) and isinstance(source, OnDevice):
        _count(aten.copy_.default, ())
    elif isinstance(target, OnDevice):
        _note_copy("copies_in", source, blocks=not (non_blocking and source.is_pinned()))
    else:
        _note_copy("copies_out", target, blocks=not (non_blocking and target.is_pinned()))
    graphs.run(aten.copy_.default, (_held(target), _held(source)), {})
    return target


def _to_host(source, *, dtype=None, non_blocking=False, **_):
    # Asked not to wait, PyTorch copies into pinned memory, and whoever reads it must wait.
    graphs.forbid("a copy to the host")
    _note_copy("copies_out", source.held, blocks=not non_blocking)
    return source.held.to(dtype or source.dtype, copy=True)


def _note_copy(direction, values, *, blocks):
    from fake_gpu.cuda import current_stream

    if blocks:
        graphs.forbid("a copy that blocks")
    n_bytes = values.numel() * values.element_size()
    copy = Copy(n_bytes, blocks, current_stream().name, values.dtype)
    for trace in traces():
        getattr(trace, direction).append(copy)


def _require_one_device(func, args, kwargs):
    """Refuse what CUDA refuses.

    Raises:
        RuntimeError: Operands on two devices, or a generator of another one.
    """
    from fake_gpu.cuda import of_device

    leaves = tree_leaves((args, kwargs))
    others = [v for v in leaves if isinstance(v, torch.Tensor) and not isinstance(v, OnDevice)]
    may_be_scalar = torch.Tag.pointwise in func.tags or func in _INDEXING | _FILLING
    wrong = [v for v in others if v.dim() > 0 or not may_be_scalar]
    if func in _INDEXING:
        # Indices may come from the host, which then waits for their copy.
        wrong = [] if isinstance(args[0], OnDevice) else wrong
        _index_copies(args)
    if wrong:
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"cuda:0 and {wrong[0].device}! ({func}, shape {tuple(wrong[0].shape)})"
        )
    for each in leaves:
        if not isinstance(each, torch._C.Generator):
            continue
        if each._cdata not in of_device:
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        graphs.drawn_from(of_device[each._cdata])


def _index_copies(args):
    for index in args[1]:
        if isinstance(index, torch.Tensor) and not isinstance(index, OnDevice):
            _note_copy("copies_in", index, blocks=True)


def _count(func, args):
    if func.is_view:
        return
    is_waiting = func in _WAITING or (func in _INDEXING and _has_mask(args[1]))
    if is_waiting:
        graphs.forbid(func)
    if graphs.capturing() is not None:
        return
    for trace in traces():
        trace.count(str(func))
        if is_waiting:
            trace.waits.append(str(func))


def _has_mask(indices):
    return any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in indices)


def _note_dtypes(out):
    for trace in traces():
        trace.dtypes.update(v.dtype for v in tree_leaves(out) if isinstance(v, torch.Tensor))


def _empty(size, *, dtype=None, layout=None, device=None, pin_memory=None, memory_format=None):
    form = memory_format or torch.contiguous_format
    return OnDevice(torch.empty(size, dtype=dtype, memory_format=form, device="cpu"))


def _empty_strided(size, stride, *, dtype=None, layout=None, device=None, pin_memory=None):
    return OnDevice(torch.empty_strided(size, stride, dtype=dtype, device="cpu"))


def _arange(start, end, step=1, *, dtype=None, layout=None, device=None, pin_memory=None):
    # PyTorch's own fills an empty tensor that it resizes, and a wrapper keeps its first shape.
    made = torch.arange(start, end, step, dtype=dtype, device="cpu")
    graphs.made(made)
    return OnDevice(made)


def register():
    """Have PyTorch make such tensors wherever something asks for the device, in any thread."""
    library = torch.library.Library("aten", "IMPL")
    library.impl("empty.memory_format", _empty, "CUDA")
    library.impl("empty_strided", _empty_strided, "CUDA")
    library.impl("arange", lambda end, **told: _arange(0, end, **told), "CUDA")
    library.impl("arange.start", _arange, "CUDA")
    library.impl("arange.start_step", _arange, "CUDA")
    return library
