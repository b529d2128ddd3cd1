"""``dinov2-*``: DINOv2 with and without registers, from the original or transformers' files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.backbones.answers import HEADS, PART, POSITIONS
from featbank.backbones.backbone import BackboneSpec, Loaded
from featbank.backbones.building.dinov2_names import original_names
from featbank.backbones.building.vit_build import (
    build_vit,
    initial_vit,
    require_keys,
    require_whole,
    require_width,
    settled_heads,
    square_side,
)
from featbank.backbones.building.vit_cost import describe_vit
from featbank.errors import WeightsError
from featbank.remote import RemoteFile

if TYPE_CHECKING:
    from featbank.backbones.backbone import Config, Provides, State, WeightsFile

# dim, heads, depth, letter of the file name: facebookresearch/dinov2 ``hub/backbones.py`` and
# ``models/vision_transformer.py``.
_SIZES = {
    "small": (384, 6, 12, "s"),
    "base": (768, 12, 12, "b"),
    "large": (1024, 16, 24, "l"),
    "giant": (1536, 24, 40, "g"),
}
_PATCH_PX, _TRAINED_PX, _IMAGE_PX, _REGISTERS = 14, 518, 224, 4
_FILES = "https://dl.fbaipublicfiles.com/dinov2"
_HEADS = ("classifier.", "head.", "linear_head.", "dino_head.", "ibot_head.")
# Families of the transformers library whose network this is.
DINOV2_TYPES = ("dinov2", "dinov2_with_registers")


def _config(size: str, registers: int) -> dict[str, Any]:
    dim, heads, depth, _ = _SIZES[size]
    is_gated = size == "giant"
    return {
        "dim": dim,
        "depth": depth,
        "heads": heads,
        "patch_px": _PATCH_PX,
        "channels": 3,
        "grid": _TRAINED_PX // _PATCH_PX,
        # Two thirds of 4 D, rounded up to a multiple of 8 (``SwiGLUFFNFused``).
        "mlp_dim": (int(4 * dim * 2 / 3) + 7) // 8 * 8 if is_gated else 4 * dim,
        "registers": registers,
        "layer_scale": True,
        "swiglu": is_gated,
        # The hub's networks with registers resize positions with antialiasing and no offset.
        "positions": "antialiased" if registers else "offset",
    }


def _describe(config: Config) -> Provides:
    return describe_vit(config, image_px=_IMAGE_PX)


def read_dinov2(config: Config, state: State, file: WeightsFile) -> Loaded:
    """Fit a DINOv2 state, under the original's or transformers' names, to the network.

    Raises:
        WeightsError: Another architecture or size.
    """
    from featbank.backbones.building.tensor_checks import float_tensors, require_ranks

    _require_settings(file)
    names = original_names(state, file.name)
    heads = [name for name in names if name.startswith(_HEADS)]
    kept = {n: v for n, v in names.items() if n != "mask_token" and n not in heads}
    _require_registers(config, kept, file)
    require_keys(config, kept, file.name, names="DINOv2's or transformers'")
    kept = float_tensors(kept, file.name)
    require_ranks(kept, file.name)
    width = int(kept["cls_token"].shape[-1])
    suffix = "-reg" if config["registers"] else ""
    fitting = [f"dinov2-{name}{suffix}" for name, row in _SIZES.items() if row[0] == width]
    require_width(width, config, file.name, fitting=fitting[0] if fitting else None)
    gated = "blocks.0.mlp.w3.weight"
    count, notes = settled_heads(config, file)
    found = {
        **config,
        "heads": count,
        "channels": int(kept["patch_embed.proj.weight"].shape[1]),
        "patch_px": int(kept["patch_embed.proj.weight"].shape[2]),
        "grid": square_side(kept["pos_embed"].shape[1] - 1, file.name),
        "mlp_dim": int(
            kept[gated].shape[1] if gated in kept else kept["blocks.0.mlp.fc1.weight"].shape[0]
        ),
    }
    if file.answers.get("positions") == "transformers" and not config["registers"]:
        found["positions"] = "plain"
    require_whole(found, kept, file.name)
    notes += ("the file's classification head is ignored",) if heads else ()
    return Loaded(config=found, state=kept, notes=notes)


def _require_settings(file: WeightsFile) -> None:
    """What a transformers folder says beside its tensors must be what our network does."""
    if not file.config:
        return
    from featbank.backbones.building.transformers_settings import (
        other_setting,
        require_own_network,
        whole_settings,
    )

    kind = file.config.get("model_type")
    if kind not in DINOV2_TYPES:
        raise other_setting(file.name, "model_type", kind, " or ".join(DINOV2_TYPES))
    require_own_network(whole_settings(file.config, file.name), file.name)


def _require_registers(config: Config, state: State, file: WeightsFile) -> None:
    tokens = state.get("register_tokens")
    found = 0 if tokens is None else tokens.shape[1] if tokens.ndim == 3 else tuple(tokens.shape)
    if found != config["registers"]:
        raise WeightsError(
            file.name,
            f"has {found} register tokens",
            f"{config['registers']} for this model",
            "Pass the --model " + ("ending in -reg." if found else "without -reg."),
        )


def _remote(size: str, registers: int) -> RemoteFile:
    stem = f"dinov2_vit{_SIZES[size][3]}14"
    name = f"{stem}_reg{registers}_pretrain.pth" if registers else f"{stem}_pretrain.pth"
    return RemoteFile(name=name, url=f"{_FILES}/{stem}/{name}")


def _spec(size: str, registers: int, *, has_head: bool = False) -> BackboneSpec:
    suffix = ("-reg" if registers else "") + ("-imagenet1k-1-layer" if has_head else "")
    remote = None if has_head else _remote(size, registers)
    hub = f"facebook/dinov2-{'with-registers-' if registers else ''}{size}"
    hub_id = f"{hub}-imagenet1k-1-layer" if has_head else ""
    trained = "with registers, " if registers else ""
    ignored = "; its ImageNet head is ignored" if has_head else ""
    return BackboneSpec(
        name=f"dinov2-{size}{suffix}",
        summary=f"DINOv2 ViT-{size}/14, {trained}self-supervised on LVD-142M{ignored}",
        config=_config(size, registers),
        default_feature="cls",
        image_size=_IMAGE_PX,
        normalise="imagenet",
        compute_dtype="bfloat16",
        takes_weights=True,
        licence="Apache-2.0",
        weights_from=remote.url if remote else f"hub id {hub_id}",
        describe=_describe,
        build=build_vit,
        read=read_dinov2,
        answers=(PART, HEADS, POSITIONS),
        initial=initial_vit,
        remote=remote,
        hub_id=hub_id,
    )


SPECS = (
    *(_spec(size, registers) for size in _SIZES for registers in (0, _REGISTERS)),
    *(_spec(size, 0, has_head=True) for size in _SIZES),
)
