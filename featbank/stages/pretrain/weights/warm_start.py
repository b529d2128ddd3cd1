"""Warm start: trained weights fitted to a run's own bands, patches, grid and extras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.errors import WeightsError
from featbank.layers.inflation import patch_resampled
from featbank.stages.pretrain.weights._warm_bands import fitted_bands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featbank.backbones.backbone import Config, State
    from featbank.bands import Band
    from featbank.sources.first_weights import FirstWeights

_KERNEL = "patch_embed.proj.weight"
_REGISTERS = "register_tokens"


@dataclass(frozen=True, kw_only=True)
class WarmStart:
    """Trained weights, fitted to a run.

    Attributes:
        state: The encoder's first weights, all of them.
        notes: What was changed, what starts at random, what was left out; a sentence each.
        origin: Where they come from, in words.
        licence: Their licence, in words.
        sha256: Of what they were read from.
    """

    state: State
    notes: tuple[str, ...]
    origin: str
    licence: str
    sha256: str


def warm_started(
    config: Config,
    source: FirstWeights,
    *,
    bands: Sequence[Band],
    inflate: str,
    seed: int,
    may_resample: bool = False,
) -> WarmStart:
    """Fit trained weights to a run's network.

    Args:
        config: Fields of ``VitConfig`` of the run's network.
        source: What was read.
        bands: Bands that the network is given, in order.
        inflate: ``mean`` or ``wavelength``: how kernels of other bands are made.
        seed: Seed of what starts at random.
        may_resample: Whether the patch embedding may be resampled for another patch size.

    Raises:
        WeightsError: Another width, depth, kind of feed-forward layer or number of heads; another
            patch size without ``may_resample``; tensors are missing.
        ContractError: Bands that ``inflate`` has no kernels for.
        UsageError: ``inflate`` is neither ``mean`` nor ``wavelength``.
    """
    found = source.shape
    _require_trunk(config, source, found)
    state, notes = dict(source.state), list[str]()
    state[_KERNEL], told = fitted_bands(state[_KERNEL], source, bands, inflate)
    notes += told
    state[_KERNEL] = _patch(config, source, state[_KERNEL], notes, may_resample=may_resample)
    state["pos_embed"] = _positions(config, found, state["pos_embed"], notes)
    _layer_scale(config, found, state, notes)
    fitted = _whole(config, source, state, seed, notes)
    return WarmStart(
        state=fitted,
        notes=tuple(f"{source.origin}: {note}" for note in notes),
        origin=source.origin,
        licence=source.licence,
        sha256=source.sha256,
    )


def _require_trunk(config: Config, source: FirstWeights, found: dict[str, Any]) -> None:
    words = {
        "dim": "features {} wide",
        "depth": "{} blocks",
        "mlp_dim": "feed-forward layers {} wide",
        "ffn": "{} feed-forward layers",
        "heads": "{} attention heads",
    }
    told = {**found, "ffn": _ffn(found), "heads": source.heads or config["heads"]}
    wanted = {**config, "ffn": _ffn(config)}
    other = [name for name in words if told[name] != wanted[name]]
    if other:
        raise WeightsError(
            source.origin,
            "has " + ", ".join(words[name].format(told[name]) for name in other),
            ", ".join(words[name].format(wanted[name]) for name in other) + " for this model",
            "Choose the --model that the weights are of, or other weights.",
        )


def _ffn(config: Config) -> str:
    return "swiglu" if config.get("swiglu", False) else "mlp"


def _patch(
    config: Config, source: FirstWeights, kernel: Tensor, notes: list[str], *, may_resample: bool
) -> Tensor:
    side, wanted = kernel.shape[-1], config["patch_px"]
    if side != wanted and not may_resample:
        raise WeightsError(
            source.origin,
            f"has patches of {side} px",
            f"{wanted} px for this run",
            f"Pass --patch {side}, or --patch {wanted} to resample its patch embedding.",
        )
    if side != wanted:
        notes.append(f"the patch embedding is resampled from {side} to {wanted} px")
    return patch_resampled(kernel, wanted)


def _positions(
    config: Config, found: dict[str, Any], positions: Tensor, notes: list[str]
) -> Tensor:
    import torch

    from featbank.layers.positions import resize_positions

    side, wanted = found["grid"], config["grid"]
    if side == wanted:
        return positions
    notes.append(f"positions are resized from {side} × {side} to {wanted} × {wanted} patches")
    way = config.get("positions", "antialiased")
    patches = resize_positions(positions[:, 1:], side, (wanted, wanted), way)
    return torch.cat([positions[:, :1], patches], dim=1)


def _layer_scale(
    config: Config, found: dict[str, Any], state: dict[str, Any], notes: list[str]
) -> None:
    """A factor of one where the file has none; a file's factors go into the weights they scale."""
    import torch

    is_wanted = bool(config.get("layer_scale", False))
    if is_wanted and not found["layer_scale"]:
        for index in range(config["depth"]):
            for name in ("ls1", "ls2"):
                state[f"blocks.{index}.{name}.gamma"] = torch.ones(config["dim"])
        notes.append("LayerScale starts at one")
    if found["layer_scale"] and not is_wanted:
        last = "mlp.w3" if found["swiglu"] else "mlp.fc2"
        for index in range(config["depth"]):
            for name, layer in (("ls1", "attn.proj"), ("ls2", last)):
                gamma = state.pop(f"blocks.{index}.{name}.gamma")
                weight, bias = (f"blocks.{index}.{layer}.{part}" for part in ("weight", "bias"))
                state[weight] = state[weight] * gamma.unsqueeze(1)
                state[bias] = state[bias] * gamma
        notes.append("LayerScale is multiplied into the weights")


def _whole(
    config: Config, source: FirstWeights, state: State, seed: int, notes: list[str]
) -> dict[str, Tensor]:
    """The network's tensors, registers at random where need be, the rest left out and told."""
    from featbank.layers.vit import random_state
    from featbank.layers.vit_config import VitConfig

    fresh = random_state(VitConfig(**config), seed)
    registers = state.get(_REGISTERS)
    if _REGISTERS in fresh and (registers is None or registers.shape != fresh[_REGISTERS].shape):
        notes.append(f"{config['registers']} register tokens start at random")
        state = {**state, _REGISTERS: fresh[_REGISTERS]}
    left_out = sorted({name.split(".")[0] for name in state if name not in fresh})
    if left_out:
        notes.append(f"left out: {', '.join(left_out)}")
    _require_all(fresh, source, state)
    return {name: state[name].clone() for name in fresh}


def _require_all(fresh: State, source: FirstWeights, state: State) -> None:
    wrong = [n for n, v in fresh.items() if n not in state or state[n].shape != v.shape]
    if wrong:
        raise WeightsError(
            source.origin,
            f"lacks {len(wrong)} tensors ({', '.join(wrong[:2])})",
            "a whole encoder",
            "Choose other weights.",
        )
