"""``dofa*``: networks whose patch embedding is generated from wavelengths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from featbank.backbones.answers import HEADS, PART, RESHAPE
from featbank.backbones.backbone import BackboneSpec, Loaded
from featbank.backbones.building.vit_build import (
    build_vit,
    empty_state,
    network_config,
    require_keys,
    require_width,
    settled_heads,
    square_side,
)
from featbank.backbones.building.vit_cost import describe_vit
from featbank.errors import ContractError, WeightsError
from featbank.remote import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.backbones.backbone import Config, Encoder, Provides, State, WeightsFile
    from featbank.bands import Band

_IMAGE_PX = 224
# dim, heads, depth: zhu-xlab/DOFA ``models_dwv.py`` (v1) and ``dofa_v2.py``.
_SIZES = {"base": (768, 12, 12), "large": (1024, 16, 24)}
_PATCH_PX = {1: 16, 2: 14}
# The generated kernel is applied with a padding of one pixel, in both versions; without it the
# patches are cut one pixel off.
_PADDING_PX = 1
# What both Sentinel-1 polarisations were called in training (torchgeo #3931, #3942). Neither is
# physical: C-band is 5.55 cm, and 5.405 is its frequency in GHz.
_S1_UM = {1: 3.75, 2: 5.405}
# Centre wavelengths (µm) of the training data, by Sentinel-2 band: the README of zhu-xlab/DOFA for
# the nine bands trained on, torchgeo-bench for the other four.
_S2_NAMES = (
    *("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12"),
)
_S2_WAVES = (0.44, 0.49, 0.56, 0.665, 0.705, 0.74, 0.783, 0.842, 0.864, 0.945, 1.373, 1.61, 2.19)
_S2_UM = dict(zip(_S2_NAMES, _S2_WAVES, strict=True))
# Optical range of the training data, EnMAP's: outside it the generator has seen nothing but the
# slot of Sentinel-1.
_OPTICAL_UM = (0.4, 2.5)
# SHA-256 of published v1 files whose rows are viewed the new way: torchgeo's (their names carry its
# first digits, torchgeo ``models/dofa.py``), and the original ones since they were replaced on
# 2024-08-30 and 2024-09-01 (Git LFS records of the hub's torchgeo/dofa and earthflow/DOFA).
_NEW_HASHES = {
    "a027595480a4b0641d0be330d876034439bcb6ead8b9ce10f4949227426856c6": "torchgeo base",
    "0ff904d35418b0ae26e15812f2669f906a047f94517823bfbc3824eac9328291": "torchgeo large",
    "4720985e42b918ac0307009eb06121a3435d9bbce6fd95446f84824a538165b1": "original base",
    "ea9910bc026268ca36c30b76fd1169aeaca9ea51af5eaff840a20f150ea03d49": "original large",
}
_PREFIX = "patch_embed."
# Parts of published files that no frozen encoder needs: classifier, distillation projector, masked
# autoencoder.
_IGNORED = re.compile(r"(head|projector|decoder_\w+)\.|mask_token$|decoder_pos_embed$")


def _config(size: str, version: int) -> dict[str, Any]:
    dim, heads, depth = _SIZES[size]
    is_second = version == 2
    return {
        "version": version,
        "reshape": "new",
        "wavelengths_um": (0.665, 0.56, 0.49),
        "dim": dim,
        "depth": depth,
        "heads": heads,
        "patch_px": _PATCH_PX[version],
        "channels": 3,
        "grid": _IMAGE_PX // _PATCH_PX[version],
        "mlp_dim": 4 * dim,
        "padding_px": _PADDING_PX,
        "layer_scale": is_second,
        # torchgeo's files keep no norm over tokens; the original ones do, and then CLS is provided.
        "has_norm": is_second,
        # Pooled as in training: v1 norms the mean of the patch tokens, v2 averages normed tokens.
        "has_fc_norm": not is_second,
    }


def _trunk(config: Config) -> dict[str, Any]:
    own = ("version", "reshape", "wavelengths_um")
    return {name: value for name, value in network_config(config).items() if name not in own}


def _describe(config: Config) -> Provides:
    from dataclasses import replace

    described = describe_vit(_trunk(config), image_px=_IMAGE_PX)
    dim, pixels = config["dim"], config["patch_px"] ** 2
    embedding = config["channels"] * pixels * dim + dim
    return replace(
        described, parameters=described.parameters - embedding + _generator_parameters(dim, pixels)
    )


def _generator_parameters(dim: int, pixels: int) -> int:
    # ``WaveKernels``: two linear maps of 128, one transformer layer of 128 with a feed-forward
    # width of 2048, two output maps, 128 weight tokens and one bias token.
    wave, hidden = 128, 2048
    square = wave * wave + wave
    transformer = 4 * square + 2 * wave * hidden + hidden + wave + 4 * wave
    return 2 * square + transformer + (wave + 1) * (pixels * dim + dim) + 129 * wave


def _build(config: Config, state: State) -> Encoder:
    from featbank.layers.wave_kernels import generate_kernels

    kernels = generate_kernels(
        {name.removeprefix(_PREFIX): v for name, v in state.items() if name.startswith(_PREFIX)},
        wavelengths_um=config["wavelengths_um"],
        patch_px=config["patch_px"],
        dim=config["dim"],
        reshape=config["reshape"],
    )
    trunk = {name: v for name, v in state.items() if not name.startswith(_PREFIX)}
    generated = {f"{_PREFIX}{name}": value for name, value in kernels.items()}
    return build_vit(_trunk(config), {**trunk, **generated})


def _initial(config: Config, seed: int) -> State:
    import torch

    from featbank.layers.vit import random_state
    from featbank.layers.vit_config import VitConfig
    from featbank.layers.wave_kernels import WaveKernels

    trunk = random_state(VitConfig(**_trunk(config)), seed)
    # On the CPU: GPUs have no part in it.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = WaveKernels(config["patch_px"], config["dim"])
        for name, token in generator.named_parameters():
            if name.endswith(("_tokens", "_token")):
                torch.nn.init.normal_(token, std=0.02)
    kept = {name: value for name, value in trunk.items() if not name.startswith(_PREFIX)}
    return kept | {f"{_PREFIX}{name}": v for name, v in generator.state_dict().items()}


def _bind(config: Config, bands: Sequence[Band]) -> Config:
    waves = tuple(_wavelength(band, config["version"]) for band in bands)
    return {**config, "channels": len(bands), "wavelengths_um": waves}


def _wavelength(band: Band, version: int) -> float:
    if band.name in ("VV", "VH"):
        return _S1_UM[version]
    if band.name in _S2_UM:
        return _S2_UM[band.name]
    low, high = _OPTICAL_UM
    if band.wavelength_um is None or not low <= band.wavelength_um <= high:
        known = "unknown" if band.wavelength_um is None else f"{band.wavelength_um:g} µm"
        raise ContractError(
            f"band {band.name}",
            f"its wavelength is {known}",
            f"{low:g} to {high:g} µm for DOFA, or a Sentinel-1 polarisation",
            "Pass --wavelengths with one number in µm for each band.",
        )
    return band.wavelength_um


def _read(config: Config, state: State, file: WeightsFile) -> Loaded:
    from featbank.backbones.building.tensor_checks import float_tensors, require_ranks

    _require_version(config, state, file)
    kept = float_tensors(_own_names(config, state), file.name)
    if config["version"] == 1:
        config = {**config, "has_norm": "norm.weight" in kept}
        kept |= _identity_norm(config["dim"], kept)
    trunk = {name: v for name, v in kept.items() if not name.startswith(_PREFIX)}
    stand_in = {f"{_PREFIX}proj.{part}": None for part in ("weight", "bias")}
    require_keys(_trunk(config), {**trunk, **stand_in}, file.name, names="DOFA's")
    require_ranks(kept, file.name)
    width = int(kept["cls_token"].shape[-1])
    fitting = [f"{_stem(config)}{s}" for s, (dim, _, _) in _SIZES.items() if dim == width]
    require_width(width, config, file.name, fitting=_short(fitting[0]) if fitting else None)
    grid = square_side(kept["pos_embed"].shape[1] - 1, file.name)
    heads, notes = settled_heads(config, file)
    config = {**config, "grid": grid, "heads": heads, "reshape": _reshape(config, file)}
    _require_whole(config, kept, file.name)
    is_known = file.sha256 in _NEW_HASHES
    return Loaded(
        config=config, state=kept, notes=_notes(config) + (() if is_known else tuple(notes))
    )


def _require_whole(config: Config, state: State, source: str) -> None:
    import torch

    from featbank.backbones.building.tensor_checks import require_shapes, require_trained
    from featbank.layers.wave_kernels import WaveKernels

    with torch.device("meta"):
        generator = WaveKernels(config["patch_px"], config["dim"]).state_dict()
    trunk = empty_state(_trunk(config))
    expected = {name: v for name, v in trunk.items() if not name.startswith(_PREFIX)}
    expected |= {f"{_PREFIX}{name}": value for name, value in generator.items()}
    require_shapes(state, expected, source)
    missing = sorted(set(expected) - set(state))
    if missing:
        raise WeightsError(
            source,
            f"lacks {len(missing)} tensors ({', '.join(missing[:2])})",
            "DOFA's generator of kernels, whole",
            "Fetch the file again.",
        )
    require_trained(state, source)


def _stem(config: Config) -> str:
    return "dofa-" if config["version"] == 1 else "dofa-v2-"


def _short(name: str) -> str:
    return "dofa" if name == "dofa-base" else name


def _require_version(config: Config, state: State, file: WeightsFile) -> None:
    generator = f"{_PREFIX}weight_generator.weight_tokens"
    found = 2 if any(name.startswith("model.blocks.") for name in state) else 1
    if generator not in state:
        raise WeightsError(
            file.name,
            f"lacks {generator}",
            "DOFA weights, whose patch embedding is generated",
            "Choose another --model or another file.",
        )
    if found != config["version"]:
        raise WeightsError(
            file.name,
            f"its keys are those of DOFA v{found}",
            f"DOFA v{config['version']} for this model",
            f"Pass --model {'dofa' if found == 1 else 'dofa-v2-base'} (or its large size).",
        )


def _own_names(config: Config, state: State) -> Mapping[str, Any]:
    if config["version"] == 1:
        return {name: value for name, value in state.items() if not _IGNORED.match(name)}
    # The outer ``norm`` of v2 is made and saved upstream, and never applied.
    trunk = {n.removeprefix("model."): v for n, v in state.items() if n.startswith("model.")}
    return trunk | {name: v for name, v in state.items() if name.startswith(_PREFIX)}


def _identity_norm(dim: int, state: Mapping[str, Any]) -> dict[str, Any]:
    """Published v1 files hold no ``fc_norm``: upstream leaves it as it was made."""
    import torch

    if "fc_norm.weight" in state:
        return {}
    return {"fc_norm.weight": torch.ones(dim), "fc_norm.bias": torch.zeros(dim)}


def _reshape(config: Config, file: WeightsFile) -> str:
    answer, is_known = file.answers.get("reshape"), file.sha256 in _NEW_HASHES
    if answer == "old" and is_known:
        raise WeightsError(
            file.name,
            f"its hash is that of {_NEW_HASHES[file.sha256]}, laid out the new way",
            "no other answer",
            "Leave --answer reshape=old out.",
        )
    if answer is not None:
        return str(answer)
    if is_known or config["version"] == 2:
        return "new"
    raise WeightsError(
        file.name,
        f"its hash {file.sha256[:8] or '(none)'} is unknown, and keys cannot tell how its kernels "
        "are laid out",
        f"a known file ({', '.join(_NEW_HASHES.values())}), or your word",
        "Pass --answer reshape=new (or --dofa-reshape new) for files published since 2024-08-30, "
        "old for earlier ones.",
    )


def _notes(config: Config) -> tuple[str, ...]:
    return () if config["has_norm"] else ("the file has no norm over tokens, so no CLS feature",)


# Revisions, sizes and hashes: Git LFS records of the hub. Of the v2 files none was found.
_TORCHGEO = "https://huggingface.co/torchgeo/dofa/resolve/b8db318b64a90b9e085ec04ba8851233c5893666/"
_EARTHFLOW = "https://huggingface.co/earthflow/DOFA/resolve/main/"
_TORCHGEO_BASE, _TORCHGEO_LARGE, *_ = _NEW_HASHES


def _remote(folder: str, name: str, size: int | None = None, sha256: str = "") -> RemoteFile:
    checksum = f"sha256:{sha256}" if sha256 else ""
    return RemoteFile(name=name, url=f"{folder}{name}", size_bytes=size, checksum=checksum)


_FILES = {
    ("base", 1): _remote(
        _TORCHGEO, "dofa_base_patch16_224-a0275954.pth", 445_295_690, _TORCHGEO_BASE
    ),
    ("large", 1): _remote(
        _TORCHGEO, "dofa_large_patch16_224-0ff904d3.pth", 1_348_512_262, _TORCHGEO_LARGE
    ),
    ("base", 2): _remote(_EARTHFLOW, "dofav2_vit_base_e150.pth"),
    ("large", 2): _remote(_EARTHFLOW, "dofav2_vit_large_e150.pth"),
}
_NAMES = {
    "dofa": ("base", 1),
    "dofa-large": ("large", 1),
    "dofa-v2-base": ("base", 2),
    "dofa-v2-large": ("large", 2),
}

SPECS = tuple(
    BackboneSpec(
        name=name,
        summary=f"DOFA v{version} {size}: any bands, kernels generated from their wavelengths",
        config=_config(size, version),
        default_feature="mean",
        image_size=_IMAGE_PX,
        # NAIP's statistics in DOFA's training are ImageNet's (zhu-xlab/DOFA normalize_dataset.py).
        normalise="imagenet",
        compute_dtype="bfloat16",
        takes_weights=True,
        licence="CC-BY-4.0",
        weights_from=_FILES[size, version].url,
        describe=_describe,
        build=_build,
        read=_read,
        bind=_bind,
        answers=(PART, HEADS, RESHAPE),
        initial=_initial,
        remote=_FILES[size, version],
    )
    for name, (size, version) in _NAMES.items()
)
