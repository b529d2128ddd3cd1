"""Trained weights of any vision transformer, to start from: a file, folder, hub id, checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.backbones._dinov2_names import original_names
from featbank.backbones._vit_build import square_side
from featbank.backbones._weights import read_folder, read_state, weights_files
from featbank.bands import RGB, Band
from featbank.bank.checkpoints import ENCODER, is_checkpoint, read_checkpoint
from featbank.errors import WeightsError
from featbank.recipe import file_sha256
from featbank.stages.weights import folder_file, is_hub_id

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        sha256: Of the file, or of each of a folder's, joined by ``+``.
    """

    state: State
    heads: int
    bands: tuple[Band, ...]
    origin: str
    licence: str
    sha256: str

    @property
    def shape(self) -> dict[str, Any]:
        """Fields of ``VitConfig`` that the tensors tell."""
        return _shape(self.state, self.origin)


def read_first_weights(named: str) -> FirstWeights:
    """Read the weights that a run starts from.

    Args:
        named: Path of a weights file, of a transformers folder or of a checkpoint, or a hub id,
            which is fetched.

    Raises:
        MissingPathError: There is no such file or folder.
        DownloadError: A hub id that the hub does not give.
        WeightsError: It does not load, or holds no vision transformer.
    """
    path = Path(named)
    if not path.exists() and is_hub_id(named):
        from featbank.downloads.hub import hub_folder

        return _of_folder(hub_folder(named, may_download=True), origin=named)
    if path.is_dir():
        is_own = is_checkpoint(path)
        return _of_checkpoint(path) if is_own else _of_folder(path, origin=path.resolve().name)
    state = _encoder_names(read_state(path), path.name)
    return FirstWeights(
        state=state,
        heads=0,
        bands=_bands_of(state),
        origin=path.name,
        licence=_OWN_LICENCE,
        sha256=file_sha256(path),
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


def _of_folder(folder: Path, *, origin: str) -> FirstWeights:
    settings = folder_file(folder, name=origin).config
    state = _encoder_names(read_folder(folder), origin)
    return FirstWeights(
        state=state,
        heads=int(settings.get("num_attention_heads", 0)),
        bands=_bands_of(state),
        origin=origin,
        licence=_OWN_LICENCE,
        sha256="+".join(file_sha256(path) for path in weights_files(folder)),
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
    state = {name: value.float() for name, value in state.items()}
    return _with_cls_position(state)


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
    if hidden is None:
        raise WeightsError(
            source, f"holds no {plain}", "a vision transformer's", "Choose another file."
        )
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
