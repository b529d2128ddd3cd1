"""Networks of the transformers library: reading their folders, building them, what they provide."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.backbones.backbone import Loaded, Provides
from featbank.backbones.building.transformers_settings import whole_settings
from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from featbank.backbones.backbone import Config, Encoder, State, WeightsFile

# Families whose forward pass and final norm ``featbank.layers.hub_encoder`` knows.
VIT_TYPES = ("vit", "vit_mae", "vit_msn", "deit", "ijepa", "dinov3_vit", "siglip_vision_model")
RESNET = "resnet"
_WITH_REGISTERS = "dinov3_vit"
_IMAGE_PX = 224
# Characters of the library's own words that are shown.
_LONGEST = 200
# Tokens before the patch tokens: CLS, and DeiT's distillation token.
_PREFIX = {"ijepa": 0, "siglip_vision_model": 0, "deit": 2}


def config_of(transformers: dict[str, Any]) -> dict[str, Any]:
    """Backbone config from a ``config.json``.

    Args:
        transformers: Its content; ``model_type`` is among it.
    """
    # Other families ignore such a field, and have no such tokens.
    has_registers = transformers.get("model_type") == _WITH_REGISTERS
    registers = int(transformers.get("num_register_tokens") or 0) if has_registers else 0
    return {"transformers": transformers, "channels": 3, "registers": registers}


def describe_hub(config: Config) -> Provides:
    """What a transformers network provides; operations are not counted."""
    settings = config["transformers"]
    if settings["model_type"] == RESNET:
        return Provides(
            features=("mean",),
            dim=settings["hidden_sizes"][-1],
            gflop=config.get("gflop"),
            parameters=config.get("parameters", 0),
        )
    prefix, registers = _prefix(config), config["registers"]
    features = ["cls"] * bool(prefix) + ["mean", "mean_raw"]
    features += ["registers"] * bool(registers) + ["tokens"]
    return Provides(
        features=tuple(features),
        dim=settings["hidden_size"],
        depth=settings["num_hidden_layers"],
        patch_px=settings["patch_size"],
        registers=registers,
        gflop=config.get("gflop"),
        parameters=config.get("parameters", 0),
    )


def _prefix(config: Config) -> int:
    return _PREFIX.get(config["transformers"]["model_type"], 1) + int(config["registers"])


def build_hub(config: Config, state: State) -> Encoder:
    """The network of a config, with a state under its own names."""
    model = _empty(config)
    model.load_state_dict(dict(state))
    if config["transformers"]["model_type"] == RESNET:
        from featbank.layers.hub_pool import HubPool
        from featbank.layers.pooled import Pooled

        return Pooled(HubPool(model)).eval()
    from featbank.layers.hub_encoder import HubEncoder

    encoder = HubEncoder(
        model,
        patch_px=config["transformers"]["patch_size"],
        prefix=_prefix(config),
        registers=config["registers"],
    )
    return encoder.eval()


def _empty(config: Config) -> Any:  # noqa: ANN401 - a transformers model
    from transformers import AutoConfig, AutoModel

    settings = {**config["transformers"], "num_channels": config["channels"]}
    if settings["model_type"] == "vit_mae":
        settings["mask_ratio"] = 0.0
    return AutoModel.from_config(AutoConfig.for_model(**settings))


def initial_hub(config: Config, seed: int) -> State:
    """Untrained weights, as the library starts them."""
    import torch

    # On the CPU: GPUs have no part in it.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state: State = _empty(config).state_dict()
    return state


def read_hub(config: Config, state: State, file: WeightsFile) -> Loaded:
    """Read a transformers folder through the library, which knows its older names.

    Raises:
        WeightsError: Not a folder, another family, or tensors are missing.
    """
    wanted = config["transformers"]["model_type"]
    found = file.config.get("model_type")
    if found != wanted:
        raise WeightsError(
            file.name,
            f"its config.json says model_type {found!r}" if found else "has no config.json beside",
            f"a transformers folder of {wanted!r}",
            "Choose another --model, or name the folder that holds config.json.",
        )
    _require_tensors(state, file.name)
    model, info = _from_folder(file)
    missing = sorted(name for name in info["missing_keys"] if "pooler" not in name)
    if missing:
        raise WeightsError(
            file.name,
            f"lacks {len(missing)} tensors ({', '.join(missing[:2])})",
            "a whole checkpoint",
            "Fetch the file again.",
        )
    ignored = sorted({name.split(".")[0] for name in info["unexpected_keys"]})
    notes = (f"the file's {', '.join(ignored)} is ignored",) if ignored else ()
    settings = whole_settings(_plain(model.config.to_dict()), file.name)
    return Loaded(
        config={
            **config,
            **config_of(settings),
            "channels": int(settings.get("num_channels", 3)),
            "parameters": sum(value.numel() for value in model.parameters()),
        },
        state=model.state_dict(),
        notes=notes,
    )


def library_settings(settings: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A ``config.json`` with the library's own defaults for what it leaves out.

    Args:
        settings: Its content, of a family that the library knows.
        source: Its folder, for messages.

    Raises:
        WeightsError: A value that the library does not take, or that no network here follows.
    """
    from transformers import AutoConfig

    asked = whole_settings(settings, source)
    try:
        with _quiet():
            found = AutoConfig.for_model(**asked).to_dict()
    except _refusals() as error:
        raise _not_loaded(source, error) from error
    return whole_settings(_plain(found), source)


def _require_tensors(state: State, source: str) -> None:
    """Matrices must be numbers of a trained network; the library would take anything."""
    from featbank.backbones.building.tensor_checks import float_tensors, require_trained

    # Factors of trained batch norms may be zero throughout; those of layer norms are not.
    matrices = {
        name: value
        for name, value in state.items()
        if name.endswith(".weight") and (value.ndim > 1 or "layernorm" in name)
    }
    require_trained(float_tensors(matrices, source), source)


def _refusals() -> tuple[type[Exception], ...]:
    """What the library raises for settings and files that it does not take."""
    from huggingface_hub.errors import StrictDataclassError

    usual = (OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError)
    return (*usual, ArithmeticError, AssertionError, ImportError, StrictDataclassError)


def _not_loaded(source: str, error: Exception) -> WeightsError:
    words = " ".join(str(error).split())
    text = "".join(c for c in words if c.isprintable())[:_LONGEST]
    return WeightsError(
        source,
        f"does not load ({text or type(error).__name__})",
        "a transformers folder",
        "Fetch it again.",
    )


def _from_folder(file: WeightsFile) -> tuple[Any, dict[str, Any]]:
    from transformers import AutoModel

    try:
        with _quiet():
            model, info = AutoModel.from_pretrained(
                Path(file.folder), local_files_only=True, output_loading_info=True, dtype="float32"
            )
    except _refusals() as error:
        raise _not_loaded(file.name, error) from error
    return model, info


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from printing: heads that are left out are told in our own words."""
    from transformers.utils import logging

    verbosity, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if has_bars:
            logging.enable_progress_bar()


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """What decides the network; not where it came from or how it is to be trained."""
    dropped = ("_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype")
    labels = ("id2label", "label2id", "problem_type")
    # How outputs are handed over; this package asks for what it takes.
    form = ("return_dict", "output_hidden_states", "output_attentions")
    left_out = dropped + labels + form
    return {n: v for n, v in settings.items() if n not in left_out and v is not None}
