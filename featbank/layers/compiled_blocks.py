"""Blocks of a frozen network compiled by torch; as they are where that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featbank.device import is_out_of_memory
from featbank.layers.hub_encoder import blocks_of
from featbank.layers.missing import Missing
from featbank.layers.passes import Passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[[Tensor, Missing | None], dict[str, Tensor]]


# Compilations of one block that torch keeps. It makes one for each rate of drop path, each size of
# chip or crop and each network of a process, and runs blocks as they are, which nobody is told,
# once there are more than 8.
_KEPT = 256
# Shapes of chips that a run compiles for; each takes seconds.
MOST_SHAPES = 4


def allow_recompiling() -> None:
    """Have torch keep as many compilations as the blocks of a deep network may need."""
    from torch._dynamo import config

    # torch 2.6 called it otherwise.
    name = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"
    setattr(config, name, max(getattr(config, name), _KEPT))


class CompiledBlocks:
    """Has a network's blocks compiled at their first pass, one compilation for all alike.

    What is fused rounds less often, so features differ in their last digits. Compiled code is for
    one shape, hence smaller batches are filled up with zeros, which are dropped behind.

    Args:
        tell: Takes the sentence where compiling fails.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._blocks: list[nn.Module] = []
        self._shapes: set[torch.Size] = set()

    @property
    def is_on(self) -> bool:
        """Whether any block is compiled."""
        return bool(self._blocks)

    def add(self, network: nn.Module) -> None:
        """Mark a network's blocks, which changes nothing that it holds."""
        blocks = list(_blocks(network))
        try:
            allow_recompiling()
            for block in blocks:
                block.compile(dynamic=False)
        except RuntimeError as error:  # this Python or system has no compiler at all
            self._blocks = blocks
            self._give_up(error)
        else:
            self._blocks += blocks

    def __call__(
        self, run: Run, x: Tensor, missing: Missing | None, size: int
    ) -> dict[str, Tensor]:
        """What a network gives for a batch.

        Args:
            run: Passes input and what of it is missing through the network.
            x: (b, C, H, W), b <= size.
            missing: What of it is filled; None where nothing is.
            size: B chips of the compiled network.

        Returns:
            Features (b, …) by name.
        """
        self._shapes.add(x.shape[1:])
        if self.is_on and len(self._shapes) > MOST_SHAPES:
            self._run_plain(f"chips have more than {MOST_SHAPES} sizes, each compiled by itself")
        if not self.is_on:
            return run(x, missing)
        try:
            found = run(*_filled_up(x, missing, size))
        except Exception as error:  # compilers fail with what their parts raise
            if is_out_of_memory(error):
                raise
            self._give_up(error)
            return run(x, missing)
        return {name: values[: len(x)] for name, values in found.items()}

    def remove(self) -> None:
        """Have the blocks run as they are again."""
        for block in self._blocks:
            block._compiled_call_impl = None  # as before ``compile``
        self._blocks = []

    def _give_up(self, error: Exception) -> None:
        self._run_plain(_reason(error))

    def _run_plain(self, why: str) -> None:
        self.remove()
        self._tell(f"the network's blocks run as they are: {why}")


def _reason(error: Exception) -> str:
    """Why torch does not compile, in one line: of what a backend raised, not that it did."""
    inner = getattr(error, "inner_exception", error)
    told = (str(inner).strip().splitlines() or [type(inner).__name__])[0].rstrip(".:")
    return f"torch does not compile them ({told})"


def _blocks(network: nn.Module) -> Iterator[nn.Module]:
    for encoder in network.encoders if isinstance(network, Passes) else [network]:
        yield from blocks_of(encoder)


def _filled_up(x: Tensor, missing: Missing | None, size: int) -> tuple[Tensor, Missing | None]:
    more = size - len(x)
    if more <= 0:
        return x, missing
    if missing is not None:
        missing = Missing(*(_with_zeros(shares, more) for shares in missing))
    return _with_zeros(x, more), missing


def _with_zeros(values: Tensor, more: int) -> Tensor:
    return torch.cat([values, values.new_zeros(more, *values.shape[1:])])
