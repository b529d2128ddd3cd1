"""Many small tensors in one buffer, so that one copy takes them all to the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TreeT = TypeVar("TreeT")
# Every dtype may begin at such a byte.
_ALIGNED = 16


class Bundle:
    """Tensors of any dtypes, in mappings, tuples and named tuples, on their way to the device.

    On the CPU they are left where they are.

    Args:
        tree: Tensors on the CPU; whatever else is in it stays as it is.
        device: Where they are wanted.
    """

    def __init__(self, tree: Any, device: torch.device) -> None:  # noqa: ANN401 - any tree
        self._tree = tree
        self._device = device
        tensors = list(_tensors(tree))
        self._buffer = _packed(tensors) if tensors and device.type == "cuda" else None

    def moved(self) -> Any:  # noqa: ANN401 - the tree that was given
        """The same tree on the device, by one copy that the host does not wait for."""
        if self._buffer is None:
            return self._tree
        there = self._buffer.to(self._device, non_blocking=True)
        places = _places(list(_tensors(self._tree)))
        return _mapped(self._tree, lambda tensor: _view(there, next(places), tensor))


def _packed(tensors: list[Tensor]) -> Tensor:
    """(n,) uint8 in pinned memory, without which the host waits for the copy."""
    n_bytes = sum(_room(tensor) for tensor in tensors)
    buffer = torch.empty(n_bytes, dtype=torch.uint8, pin_memory=True)
    for start, tensor in zip(_places(tensors), tensors, strict=True):
        _view(buffer, start, tensor).copy_(tensor)
    return buffer


def _places(tensors: list[Tensor]) -> Iterator[int]:
    """First byte of each."""
    start = 0
    for tensor in tensors:
        yield start
        start += _room(tensor)


def _room(tensor: Tensor) -> int:
    return -(-tensor.nbytes // _ALIGNED) * _ALIGNED


def _view(buffer: Tensor, start: int, like: Tensor) -> Tensor:
    return buffer[start : start + like.nbytes].view(like.dtype).view(like.shape)


def _tensors(tree: object) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _tensors(value)
    elif isinstance(tree, tuple):
        for value in tree:
            yield from _tensors(value)


def _mapped(tree: TreeT, change: Callable[[Tensor], Tensor]) -> TreeT:
    """The same tree of other tensors, in the order of ``_tensors``."""
    made: Any = tree
    if isinstance(tree, Tensor):
        made = change(tree)
    elif isinstance(tree, dict):
        made = {name: _mapped(value, change) for name, value in tree.items()}
    elif isinstance(tree, tuple):
        values = (_mapped(value, change) for value in tree)
        made = type(tree)(*values) if hasattr(tree, "_fields") else tuple(values)
    return cast("TreeT", made)
