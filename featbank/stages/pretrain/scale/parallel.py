"""Several processes that train one network, as torchrun starts them: DDP, or FSDP2."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import distributed, nn

from featbank.device import pick_device
from featbank.layers.compiled_blocks import allow_recompiling
from featbank.layers.transformer import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from torch import Tensor

    from featbank.methods.method import Drawn, Method, StepOutput

# How long processes wait for one another: the first one probes and saves while the others stand
# still, which on a slow disk outlasts NCCL's own ten minutes.
_PATIENCE = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this process stands among those of the run.

    Attributes:
        rank: Its number, from 0.
        world: Processes of the run.
        device: What it computes on.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes and tells."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait for all processes to come here."""
        if self.world > 1:
            distributed.barrier()


@dataclass(frozen=True, kw_only=True)
class Engine:
    """How torch runs the network.

    Attributes:
        shard: Whether processes share parameters and optimiser state (FSDP2) instead of each
            holding all (DDP).
        recompute: Whether blocks keep no activations and compute them again for gradients.
        compile: Whether blocks are compiled.
    """

    shard: bool = False
    recompute: bool = False
    compile: bool = False


def is_first_process() -> bool:
    """Whether this process is the one that prints, as torchrun's environment has it."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def joined(device: str) -> Iterator[Place]:
    """Join the other processes that torchrun started; alone, nothing is done.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``; each process of a machine takes its own GPU.
    """
    picked, world = pick_device(device), int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Place(rank=0, world=1, device=picked)
        return
    if picked.type == "cuda":
        picked = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(picked)
    is_cuda = picked.type == "cuda"
    distributed.init_process_group(
        "nccl" if is_cuda else "gloo", timeout=_PATIENCE, device_id=picked if is_cuda else None
    )
    try:
        yield Place(rank=distributed.get_rank(), world=world, device=picked)
    finally:
        distributed.destroy_process_group()


class ParallelMethod:
    """A method as torch's engine runs it: called like the method itself.

    Args:
        method: On the device.
        place: Where this process stands.
        engine: How.
    """

    def __init__(self, method: Method, place: Place, engine: Engine) -> None:
        self.method = method
        self.module = cast("nn.Module", method)
        blocks = [part for part in self.module.modules() if isinstance(part, Block)]
        if engine.recompute:
            _recompute([block for block in blocks if _is_trained(block)])
        if engine.compile:
            allow_recompiling()
            for block in blocks:
                block.compile()
        self._is_sharded = engine.shard and place.world > 1
        if self._is_sharded:
            _shard(self.module, blocks, place)
        is_copied = place.world > 1 and not self._is_sharded
        self._called = _copied(self.module, place) if is_copied else self.module
        # Sharding puts others in their places, so they are listed last.
        self._parameters = list(self.module.parameters())

    def __call__(
        self, views: Mapping[str, Tensor], drawn: Drawn, numbers: Mapping[str, float]
    ) -> StepOutput:
        """Loss of one batch, as the method gives it."""
        out: StepOutput = self._called(views, drawn, numbers)
        return out

    def summing(self, *, is_last: bool) -> AbstractContextManager[Any]:
        """Around a forward and backward pass: gradients of processes are summed in the last."""
        if self._is_sharded:
            cast("Any", self.module).set_requires_gradient_sync(is_last)
        if isinstance(self._called, nn.parallel.DistributedDataParallel) and not is_last:
            return self._called.no_sync()
        return nullcontext()

    def clip(self, limit: float) -> Tensor:
        """Scale gradients down to a norm, and give the norm before; 0 only measures it."""
        parameters = [p for p in self._parameters if p.grad is not None]
        # One look at the gradients where they stay as they are: clipping writes them again.
        if limit:
            return whole(nn.utils.clip_grad_norm_(parameters, limit))
        return whole(nn.utils.get_total_norm([cast("Tensor", p.grad) for p in parameters]))


def whole(value: Tensor) -> Tensor:
    """A tensor that processes may hold in parts, as a whole; every process has to ask for it."""
    gather = getattr(value, "full_tensor", None)
    return value if gather is None else cast("Tensor", gather())


def laid_out(value: Tensor, like: Tensor) -> Tensor:
    """A whole tensor laid out over processes as another one is."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    value = value.to(device=like.device, dtype=like.dtype)
    if not isinstance(like, DTensor):
        return value
    return distribute_tensor(value, like.device_mesh, like.placements)


def mean_over_processes(values: Tensor, place: Place) -> Tensor:
    """Mean of a tensor over the processes of a run."""
    if place.world > 1:
        distributed.all_reduce(values)
        values /= place.world
    return values


def of_the_first(values: Tensor, place: Place) -> Tensor:
    """The first process's tensor, in every process; theirs are written over."""
    if place.world > 1:
        distributed.broadcast(values, src=0)
    return values


def _is_trained(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())


def _recompute(blocks: list[Block]) -> None:
    from functools import partial

    from torch.utils.checkpoint import checkpoint

    for block in blocks:
        # The names of parameters stay as they are, unlike with torch's wrapper module.
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)  # type: ignore[method-assign]


def _copied(module: nn.Module, place: Place) -> nn.Module:
    devices = [place.device] if place.device.type == "cuda" else None
    engine: Any = nn.parallel.DistributedDataParallel
    # Buffers follow from sums over all processes or from parameters, so they are equal already.
    # torch 2.13 renames the option.
    names = ("forward_sync_buffers", "broadcast_buffers")
    name = next(name for name in names if name in signature(engine).parameters)
    copied: nn.Module = engine(
        module, device_ids=devices, gradient_as_bucket_view=True, **{name: False}
    )
    return copied


def _shard(module: nn.Module, blocks: list[Block], place: Place) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(place.device.type, (place.world,))
    # Autocast chooses dtypes, as it does for copies of the network. Were parameters gathered in
    # bfloat16, norms, residuals and prototypes would be computed in it too: another network.
    for block in blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
