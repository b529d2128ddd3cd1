"""One batch through the device: native pixels in, features out behind the next batch."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from featbank.device import full_float32, is_out_of_memory, pick_device
from featbank.inputs.preprocess import InputRecipe, Preprocess
from featbank.inputs.reading import parts_of
from featbank.layers.half_weights import hold_half
from featbank.layers.missing import Missing, nothing_missing
from featbank.layers.passes import encode
from featbank.stages.embed.agreement import narrowed
from featbank.stages.embed.device_memory import AtOnce
from featbank.stages.embed.transfers import Transfers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from featbank.backbones import Encoder
    from featbank.backbones.backbone import Config
    from featbank.image import Array
    from featbank.inputs.reading import Group, ReadBatch
    from featbank.layers.compiled_blocks import CompiledBlocks
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.store.schema import FeatureLayout

    Moved = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class ForwardConfig:
    """How batches are computed.

    Attributes:
        inputs: How pixels become input.
        layout: Which features to keep.
        device: Where.
        compute_dtype: ``bfloat16`` for autocast, or ``float32``.
        narrow: Builds the network of some of the channels; None where each chip has all.
    """

    inputs: InputRecipe
    layout: FeatureLayout
    device: torch.device
    compute_dtype: str
    narrow: Callable[[tuple[int, ...]], Encoder] | None = None


class Input(NamedTuple):
    """What goes through the network together.

    Attributes:
        rows: (b,) positions inside the batch.
        x: (b, C, H, W) channels.
        missing: What of them is filled; None where nothing is.
        absent: Bands that these chips come without.
    """

    rows: NDArray[np.intp]
    x: Tensor
    missing: Missing | None
    absent: tuple[str, ...]


class Pending:
    """Features that may still be on their way from the device.

    Args:
        rows: (b,) positions inside the batch.
        features: (b, …) by name, on the host.
        ready: Event after the copies; None where they are done.
    """

    def __init__(
        self, rows: NDArray[np.intp], features: dict[str, Tensor], ready: torch.cuda.Event | None
    ) -> None:
        self.rows = rows
        self._features = features
        self._ready = ready

    def result(self) -> dict[str, Array]:
        """Wait for the copies and give the features as arrays."""
        if self._ready is not None:
            self._ready.synchronize()
        return {name: values.numpy() for name, values in self._features.items()}


class Forward:
    """Runs a frozen encoder over batches of native pixels.

    Args:
        encoder: The network, in evaluation mode.
        config: How.
        at_once: How many chips together; None takes whole batches as long as they are held.
        compiled: Has the network's blocks compiled, for batches of ``at_once``; None runs them as
            they are.
    """

    def __init__(
        self,
        encoder: Encoder,
        config: ForwardConfig,
        at_once: AtOnce | None = None,
        compiled: CompiledBlocks | None = None,
    ) -> None:
        self._config = config
        self._at_once = at_once or AtOnce(sys.maxsize)
        self._encoder = self._placed(encoder)
        self._compiled = compiled
        if compiled is not None and isinstance(encoder, torch.nn.Module):
            compiled.add(encoder)
        self._prepare = Preprocess(config.inputs, config.device)
        self._transfers = Transfers(config.device) if config.device.type == "cuda" else None
        self._narrowed: dict[tuple[int, ...], Encoder] = {}

    def submit(self, batch: ReadBatch) -> list[Pending]:
        """Start a batch; its features are taken with ``Pending.result``.

        Chips that end at one size go through the network together, in row order; at native size
        each size goes by itself. A batch that the device does not hold goes in parts.

        Raises:
            MemoryShortError: The device does not hold one chip, or may not take parts.
        """
        while True:
            try:
                with torch.inference_mode(), full_float32(self._config.device):
                    parts = parts_of(batch.groups, self._at_once.most)
                    return [pending for part in parts for pending in self._submitted(part)]
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                # Only once the exception is gone does nothing hold the batch's memory.
                held = max(int(group.rows[-1]) + 1 for group in batch.groups)
            self._at_once.halve(held)

    def _placed(self, encoder: Encoder) -> Encoder:
        is_half = self._config.compute_dtype == "bfloat16"
        if is_half and isinstance(encoder, torch.nn.Module):
            hold_half(encoder)
        return encoder.to(self._config.device)

    def _submitted(self, groups: Sequence[Group]) -> list[Pending]:
        inputs = [self._input(group) for group in groups]
        if self._config.inputs.image_size is not None:
            inputs = self._merged(inputs)
        return [self._run(given) for given in inputs]

    def _input(self, group: Group) -> Input:
        # Native integers cross the bus, a quarter of the float bytes.
        planes = self._moved({name: torch.from_numpy(a) for name, a in group.planes.items()})
        x, missing = self._prepare(planes), self._prepare.missing(planes, group.absent)
        return Input(group.rows, x, missing, group.absent)

    def _moved(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return tensors if self._transfers is None else self._transfers.to_device(tensors)

    def _merged(self, inputs: Sequence[Input]) -> list[Input]:
        """Inputs of one size, those of the same bands joined in row order."""
        by_bands: dict[tuple[str, ...], list[Input]] = {}
        for given in inputs:
            by_bands.setdefault(given.absent, []).append(given)
        return [
            _joined(alike, self._moved) if len(alike) > 1 else alike[0]
            for alike in by_bands.values()
        ]

    def _run(self, given: Input) -> Pending:
        rows, x, missing, absent = given
        layout = self._config.layout
        with_tokens = "tokens" in layout.names
        autocast = self._config.compute_dtype == "bfloat16"
        with torch.autocast(self._config.device.type, dtype=torch.bfloat16, enabled=autocast):
            if absent:
                out = self._without(absent, x, missing, with_tokens)
            else:
                out = self._whole(x, missing, with_tokens)
        kept = {name: self._stored(name, out[name]) for name in layout.names}
        if self._transfers is None:
            return Pending(rows, kept, None)
        return Pending(rows, *self._transfers.to_host(kept))

    def _whole(self, x: Tensor, missing: Missing | None, with_tokens: bool) -> dict[str, Tensor]:
        """Features of chips that have all bands."""
        layers = self._config.layout.layers

        def run(x: Tensor, missing: Missing | None) -> dict[str, Tensor]:
            return encode(self._encoder, x, layers, with_tokens, missing)

        if self._compiled is None:
            return run(x, missing)
        return self._compiled(run, x, missing, self._at_once.most)

    def _without(
        self, absent: tuple[str, ...], x: Tensor, missing: Missing | None, with_tokens: bool
    ) -> dict[str, Tensor]:
        """Features of chips that come without some bands, by the network of the others."""
        names = self._config.inputs.bands
        pick = tuple(at for at, name in enumerate(names) if name not in absent)
        if self._config.narrow is None:
            raise AssertionError("the contract refuses chips without a band")
        if pick not in self._narrowed:
            self._narrowed[pick] = self._placed(self._config.narrow(pick))
        encoder = self._narrowed[pick]
        return encode(encoder, x[:, list(pick)], self._config.layout.layers, with_tokens, missing)

    def _stored(self, name: str, values: Tensor) -> Tensor:
        half = self._config.layout.row_dtype(name) == np.float16
        return values.to(torch.float16 if half else torch.float32)


def _joined(inputs: Sequence[Input], moved: Moved) -> Input:
    rows = np.concatenate([given.rows for given in inputs])
    x = torch.cat([given.x for given in inputs])
    order = np.argsort(rows, kind="stable")
    place = moved({"order": torch.from_numpy(order)})["order"]
    missing = None
    if any(given.missing is not None for given in inputs):
        parts = [given.missing or nothing_missing(given.x) for given in inputs]
        missing = Missing(*(torch.cat(shares)[place] for shares in zip(*parts, strict=True)))
    return Input(rows[order], x[place], missing, inputs[0].absent)


def forward_of(
    plan: EmbedPlan, at_once: AtOnce | None = None, compiled: CompiledBlocks | None = None
) -> Forward:
    """The forward pass that a plan settles, its network built and on the device."""
    config = ForwardConfig(
        inputs=plan.inputs,
        layout=plan.layout,
        device=pick_device(plan.options.device),
        compute_dtype=plan.recipe["compute_dtype"],
        narrow=lambda pick: plan.spec.build(
            narrowed(plan.weights.config, pick), plan.weights.state
        ),
    )
    return Forward(encoder_of(plan), config, at_once or AtOnce(plan.batch_size), compiled)


def encoder_of(plan: EmbedPlan) -> Encoder:
    """The network that a plan settles, one pass or several."""
    passes = plan.passes
    built: list[tuple[Config, Encoder]] = []
    encoders = []
    for config in passes.configs:
        found = next((encoder for known, encoder in built if known == config), None)
        if found is None:
            found = plan.spec.build(config, plan.weights.state)
            built.append((config, found))
        encoders.append(found)
    if passes.picks == (tuple(range(len(plan.adapted.channels))),):
        return encoders[0]
    from featbank.layers.passes import Passes

    return Passes(encoders, passes.picks).eval()  # type: ignore[arg-type] # encoders are modules
