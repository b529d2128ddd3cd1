"""What a dataset and a backbone agree on before anything is embedded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.errors import ContractError, UsageError
from featbank.inputs.normalise import METHODS
from featbank.recipe import file_sha256

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.backbones.backbone import Config, State
    from featbank.datasets import Dataset
    from featbank.stages.embed_options import EmbedOptions

RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A backbone's weights and where they come from.

    Attributes:
        config: Architecture, its channels those of the chips.
        state: Tensors; empty for backbones that have none or whose state is yet to be fitted.
        origin: In words, for people.
        sha256: Of the file; empty where there is none.
    """

    config: Config
    state: State
    origin: str
    sha256: str = ""


def load_weights(spec: BackboneSpec, options: EmbedOptions, dataset: Dataset) -> Weights:
    """Weights of a backbone: a file's, random ones, or none yet.

    Raises:
        UsageError: ``--weights`` is missing, or given to a backbone that has none.
        WeightsError: The file does not fit the backbone.
        ContractError: The weights take another number of bands than the chips have.
    """
    config = {**spec.config, "channels": len(dataset.bands)}
    if not spec.takes_weights:
        if options.weights is not None:
            raise UsageError(
                f"--weights {options.weights}",
                f"model '{spec.name}' has no weights",
                "no --weights for it",
                "Leave --weights out.",
            )
        return Weights(config=config, state={}, origin="none")
    if options.weights is None:
        raise UsageError(
            spec.name,
            "no weights were named",
            spec.weights_from,
            "Pass --weights path/to/file.safetensors.",
        )
    if options.weights == RANDOM and spec.initial is not None:
        origin = f"random, untrained (seed {options.seed})"
        return Weights(config=config, state=spec.initial(config, options.seed), origin=origin)
    return _from_file(spec, Path(options.weights), dataset)


def _from_file(spec: BackboneSpec, path: Path, dataset: Dataset) -> Weights:
    from featbank.backbones._weights import read_state

    config = spec.config
    state: State = read_state(path)
    if spec.read is not None:
        config, state = spec.read(config, state, str(path))
    if config["channels"] != len(dataset.bands):
        names = ", ".join(band.name for band in dataset.bands)
        raise ContractError(
            dataset.name,
            f"gives {len(dataset.bands)} bands ({names})",
            f"{config['channels']} for model '{spec.name}' with {path.name}",
            f"Choose bands, such as --bands {_example_bands(dataset, config['channels'])}.",
        )
    return Weights(config=config, state=state, origin=path.name, sha256=file_sha256(path))


def _example_bands(dataset: Dataset, count: int) -> str:
    roles = {band.role for band in dataset.bands}
    if count == 3 and {"red", "green", "blue"} <= roles:
        return "rgb"
    return ",".join(band.name for band in dataset.bands[:count])


def normalise_method(spec: BackboneSpec, options: EmbedOptions) -> str:
    """The normalisation asked for, or the backbone's own.

    Raises:
        UsageError: Neither is known: guessing would spoil every number that follows.
    """
    method = options.normalise or spec.normalise
    if method is None:
        raise UsageError(
            spec.name,
            "its weights do not say which statistics they were trained with",
            f"--normalise {'|'.join(METHODS[:3])}",
            "Pass the one that the weights' publisher names.",
        )
    return method


def image_size(spec: BackboneSpec, options: EmbedOptions, patch_px: int) -> int | None:
    """Side that chips are resized to; None for native size.

    Raises:
        UsageError: Not a multiple of the patch.
    """
    size = options.image_size or spec.image_size
    if size is not None and patch_px and size % patch_px:
        raise UsageError(
            f"--image-size {size}",
            f"not a multiple of the {patch_px} px patch of '{spec.name}'",
            f"{size // patch_px * patch_px} or {-(-size // patch_px) * patch_px}",
            "Pass one of them.",
        )
    return size


def layer_indices(options: EmbedOptions, depth: int) -> tuple[int, ...]:
    """Block indices in ascending order, negative ones counted from the end.

    Raises:
        UsageError: A block that the backbone does not have.
    """
    bad = [index for index in options.layers if not -depth <= index < depth]
    if bad or not options.layers:
        raise UsageError(
            f"--layers {','.join(map(str, options.layers))}",
            f"model '{options.model}' has blocks 0 to {depth - 1}",
            "indices among them, or negative ones from the end",
            "Correct --layers.",
        )
    return tuple(sorted({index % depth for index in options.layers}))
