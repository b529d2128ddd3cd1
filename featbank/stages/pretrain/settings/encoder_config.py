"""The network to be trained: a vision transformer of the catalog, with what the user changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.backbones import BACKBONES
from featbank.backbones.answers import HEADS, PART, as_mapping, settled_answers
from featbank.bank.checkpoints import is_checkpoint
from featbank.catalog import suggest
from featbank.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.stages.pretrain.options import PretrainOptions

# Families whose networks are ``featbank.layers.vit``; a name with a head is the same network.
_FAMILIES, _WITH_HEAD = ("vit-", "dinov2-"), "-imagenet1k"
FEED_FORWARD = ("mlp", "swiglu")
_IMAGE_PX = 224


def trainable_models() -> list[str]:
    """Names of the catalog's models that can be pretrained."""
    return [name for name in BACKBONES if name.startswith(_FAMILIES) and _WITH_HEAD not in name]


def trainable(name: str) -> BackboneSpec:
    """The catalog entry of a model that can be pretrained.

    Raises:
        UsageError: A checkpoint, or a model that is no vision transformer of ours.
        UnknownNameError: Not in the catalog.
    """
    known = trainable_models()
    if name in known:
        return BACKBONES[name]
    if is_checkpoint(Path(name)):
        raise UsageError(
            f"--model {name}",
            "is a checkpoint",
            f"an architecture, one of {', '.join(known)}",
            "Name its architecture, and pass --weights with the checkpoint to start from it.",
        )
    kind = UsageError if name in BACKBONES else UnknownNameError
    what = "cannot be pretrained" if name in BACKBONES else "no model has this name"
    remedy = "Choose one of them." if name in BACKBONES else suggest(name, known)
    raise kind(f"--model {name}", what, f"one of {', '.join(known)}", remedy)


def encoder_config(options: PretrainOptions, spec: BackboneSpec, channels: int) -> dict[str, Any]:
    """Fields of ``VitConfig``.

    Args:
        options: Patch, image size, registers, layer scale, feed-forward layer; None takes the
            model's.
        spec: The model.
        channels: Input bands C.

    Raises:
        UsageError: A number out of range, or an image size that patches do not fill.
    """
    config = dict(spec.config)
    patch = _positive("--patch", options.patch, config["patch_px"])
    size = _positive("--image-size", options.image_size, spec.image_size or _IMAGE_PX)
    if size % patch:
        raise UsageError(
            f"--image-size {size}",
            f"is no multiple of the patch of {patch} px",
            f"{max(1, size // patch) * patch} or {-(-size // patch) * patch}",
            "Pass one of them, or another --patch.",
        )
    registers = config.get("registers", 0) if options.registers is None else options.registers
    if registers < 0:
        raise UsageError(f"--registers {registers}", "is negative", "0 or more", "Correct it.")
    scaled = config.get("layer_scale", False)
    return {
        **config,
        "heads": _heads(options, config),
        "channels": channels,
        "patch_px": patch,
        "grid": size // patch,
        "registers": registers,
        "layer_scale": scaled if options.layer_scale is None else options.layer_scale,
        **_feed_forward(options.ffn, config),
        # As the published networks with registers do.
        "positions": "antialiased" if registers else config["positions"],
    }


def settled_options(options: PretrainOptions, spec: BackboneSpec) -> PretrainOptions:
    """Options whose answers are of their types.

    Raises:
        UsageError: An answer that is none, or one where no weights are named.
    """
    declared = () if options.weights is None else (PART, HEADS)
    given = as_mapping(options.answers)
    answers = settled_answers(declared, given, subject=f"model '{spec.name}'")
    return replace(options, answers=answers)


def _heads(options: PretrainOptions, config: dict[str, Any]) -> int:
    """The model's heads; those of the weights it starts from, where the user tells them."""
    heads = int(options.answers.get(HEADS.name, config["heads"]))
    if config["dim"] % heads:
        raise UsageError(
            f"--answer {HEADS.name}={heads}",
            f"does not divide the model's width of {config['dim']}",
            f"a divisor, such as {config['heads']}",
            "Correct it.",
        )
    return heads


def _feed_forward(ffn: str | None, config: dict[str, Any]) -> dict[str, Any]:
    is_gated = config.get("swiglu", False)
    if ffn not in (None, *FEED_FORWARD):
        raise UsageError(
            f"--ffn {ffn}", "no feed-forward layer", " or ".join(FEED_FORWARD), "Choose one."
        )
    if ffn is None or (ffn == "swiglu") == is_gated:
        return {"swiglu": is_gated}
    hidden = 4 * int(config["dim"])
    # Two thirds of 4 D, rounded up to a multiple of 8 (dinov2 ``SwiGLUFFNFused``).
    width = (int(hidden * 2 / 3) + 7) // 8 * 8 if ffn == "swiglu" else hidden
    return {"swiglu": ffn == "swiglu", "mlp_dim": width}


def _positive(name: str, asked: int | None, usual: int) -> int:
    if asked is not None and asked < 1:
        raise UsageError(f"{name} {asked}", "is too small", "1 or more", f"Correct {name}.")
    return usual if asked is None else asked
