"""Trained weights of any vision transformer, to start from: a file, folder, hub id, checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.backbones.answers import HEADS, PART
from featbank.backbones.building.dinov2_names import original_names
from featbank.backbones.building.tensor_checks import (
    float_tensors,
    require_ranks,
    require_shapes,
    require_trained,
)
from featbank.backbones.building.transformers_settings import (
    eps_note,
    require_own_network,
    whole_settings,
)
from featbank.backbones.building.vit_build import empty_state, square_side
from featbank.backbones.building.weights import read_folder, read_part, read_state
from featbank.bands import RGB, Band
from featbank.bank.checkpoints import ENCODER, is_checkpoint, read_checkpoint
from featbank.errors import WeightsError
from featbank.recipes.recipe import file_sha256
from featbank.sources.weights import folder_file, folder_sha256, is_hub_id, require_no_part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.answers import Value
    from featbank.backbones.backbone import State

_BLOCK = re.compile(r"blocks\.(\d+)\.")
# Parameters of every vision transformer, whichever its feed-forward layers.
_NEEDED = ("cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight")
_OWN_LICENCE = "the weights' own"


@dataclass(frozen=True, kw_only=True)
class FirstWeights:
    """Trained weights under the names of ``VisionTransformer``.

    Attributes:
        state: Tensors, float32; what is no part of an encoder is among them.
        heads: Attention heads; 0 where the file does not tell.
        bands: Bands of the patch embedding, in order; empty where unknown.
        origin: In words: file name, hub id or checkpoint's name.
        licence: In words.
        sha256: Of the file, or of a folder's as ``featbank.sources.weights.folder_sha256`` has it.
        part: Which of a file's networks; empty for folders and checkpoints.
        notes: What a user must know of them.
    """

    state: State
    heads: int
    bands: tuple[Band, ...]
    origin: str
    licence: str
    sha256: str
    part: str = ""
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> dict[str, Any]:
        """Fields of ``VitConfig`` that the tensors tell."""
        return _shape(self.state, self.origin)


def read_first_weights(named: str, answers: Mapping[str, Value] | None = None) -> FirstWeights:
    """Read the weights that a run starts from.

    Args:
        named: Path of a weights file, of a transformers folder or of a checkpoint, or a hub id,
            which is fetched.
        answers: What a file does not tell: ``part`` and ``heads``.

    Raises:
        MissingPathError: There is no such file or folder.
        DownloadError: A hub id that the hub does not give.
        WeightsError: It does not load, or holds no vision transformer.
    """
    path, answers = Path(named), answers or {}
    if not path.exists() and is_hub_id(named):
        from featbank.downloads.hub import hub_folder

        folder = hub_folder(named, may_download=True)
        return _with_heads(_of_folder(folder, origin=named, answers=answers), answers)
    if not path.is_dir():
        return _of_file(path, answers)
    if not is_checkpoint(path):
        origin = path.resolve().name
        return _with_heads(_of_folder(path, origin=origin, answers=answers), answers)
    require_no_part(answers, path)
    return _with_heads(_of_checkpoint(path), answers)


def _of_file(path: Path, answers: Mapping[str, Value]) -> FirstWeights:
    asked = answers.get(PART.name)
    part, notes = read_part(path, None if asked is None else str(asked))
    state = _encoder_names(part.state, str(path))
    return FirstWeights(
        state=state,
        heads=int(answers.get(HEADS.name, 0)),
        bands=_bands_of(state),
        origin=path.name,
        licence=_OWN_LICENCE,
        sha256=file_sha256(path),
        part=part.name,
        notes=notes,
    )


def _with_heads(weights: FirstWeights, answers: Mapping[str, Value]) -> FirstWeights:
    """Weights whose heads are told already: an answer may repeat them, never change them."""
    asked = answers.get(HEADS.name)
    if asked is None or asked == weights.heads:
        return weights
    if weights.heads == 0:
        return replace(weights, heads=int(asked))
    raise WeightsError(
        weights.origin,
        f"says {weights.heads} attention heads",
        f"those, not --answer {HEADS.name}={asked}",
        "Leave the answer out.",
    )


def _of_checkpoint(path: Path) -> FirstWeights:
    checkpoint = read_checkpoint(path)
    file = path / ENCODER
    return FirstWeights(
        state=_encoder_names(read_state(file), checkpoint.name),
        heads=int(checkpoint.config["heads"]),
        bands=tuple(_band(entry) for entry in checkpoint.bands),
        origin=checkpoint.name,
        licence=checkpoint.licence,
        sha256=file_sha256(file),
    )


def _band(entry: Mapping[str, Any]) -> Band:
    return Band(
        name=entry["name"],
        wavelength_um=entry.get("wavelength_um"),
        unit=entry.get("unit", "unknown"),
        role=entry.get("role", ""),
    )


def _of_folder(folder: Path, *, origin: str, answers: Mapping[str, Value]) -> FirstWeights:
    require_no_part(answers, folder)
    settings = whole_settings(folder_file(folder, name=origin).config, origin)
    require_own_network(settings, origin, any_eps=True)
    state = _encoder_names(read_folder(folder), origin)
    note = eps_note(settings)
    return FirstWeights(
        state=state,
        heads=int(settings.get("num_attention_heads", 0)),
        bands=_bands_of(state),
        origin=origin,
        licence=_OWN_LICENCE,
        sha256=folder_sha256(folder),
        notes=(note,) if note else (),
    )


def _bands_of(state: State) -> tuple[Band, ...]:
    """Published networks of three channels take red, green, blue; of others nothing is known."""
    return RGB if state["patch_embed.proj.weight"].shape[1] == len(RGB) else ()


def _encoder_names(tensors: State, source: str) -> State:
    state = _without_timm(original_names(tensors, source))
    missing = [name for name in _NEEDED if name not in state]
    if missing:
        raise WeightsError(
            source,
            f"holds no {missing[0]}",
            "a vision transformer of timm, DINO, DINOv2, MAE, transformers or a checkpoint",
            "Choose another file.",
        )
    state = _floats(state, source)
    require_ranks(state, source)
    require_trained({name: v for name, v in state.items() if _is_encoders(name)}, source)
    state = dict(_with_cls_position(state))
    shape = {**_shape(state, source), "heads": 1}
    require_shapes(state, empty_state(shape), source)
    return state


def _floats(state: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The encoder's tensors as float32; what stands beside them is left out later."""
    encoder = {name: value for name, value in state.items() if _is_encoders(name)}
    return {**state, **float_tensors(encoder, source)}


def _is_encoders(name: str) -> bool:
    return name in _NEEDED or name == "register_tokens" or name.startswith(("blocks.", "norm."))


def _without_timm(state: dict[str, Any]) -> dict[str, Any]:
    """DINOv2's own names for what timm calls otherwise: registers, and gated layers."""
    renamed = {"reg_token": "register_tokens"}
    first, second = (state.get(f"blocks.0.mlp.{name}.weight") for name in ("fc1", "fc2"))
    if first is not None and second is not None and first.shape[0] == 2 * second.shape[1]:
        renamed |= {"mlp.fc1.": "mlp.w12.", "mlp.fc2.": "mlp.w3."}
    for theirs, original in renamed.items():
        state = {name.replace(theirs, original): value for name, value in state.items()}
    return state


def _with_cls_position(state: dict[str, Any]) -> State:
    """Networks of timm with registers give CLS no position of its own: zeros mean the same."""
    import torch

    positions = state["pos_embed"]
    tokens, dim = positions.shape[1:]
    if "register_tokens" in state and round(tokens**0.5) ** 2 == tokens:
        state["pos_embed"] = torch.cat([positions.new_zeros(1, 1, dim), positions], dim=1)
    return state


def _shape(state: State, source: str) -> dict[str, Any]:
    numbers = {int(found[1]) for name in state if (found := _BLOCK.match(name))}
    width, channels, patch_px = state["patch_embed.proj.weight"].shape[:3]
    gated, plain = "blocks.0.mlp.w3.weight", "blocks.0.mlp.fc2.weight"
    hidden = state.get(gated, state.get(plain))
    if hidden is None or hidden.ndim != 2:
        what = f"holds no {plain}" if hidden is None else f"'{plain}' is no matrix"
        raise WeightsError(source, what, "a vision transformer's", "Choose another file.")
    return {
        "dim": int(width),
        "depth": len(numbers),
        "patch_px": int(patch_px),
        "channels": int(channels),
        "grid": square_side(state["pos_embed"].shape[1] - 1, source),
        "mlp_dim": int(hidden.shape[1]),
        "registers": state["register_tokens"].shape[1] if "register_tokens" in state else 0,
        "layer_scale": "blocks.0.ls1.gamma" in state,
        "swiglu": gated in state,
    }
