"""What a dataset and a backbone agree on before anything is embedded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.backbones.building.checkpoint_spec import OWN_STATISTICS
from featbank.bands import RGB
from featbank.errors import ContractError, UsageError
from featbank.inputs.normalise import is_rgb, published
from featbank.inputs.wavelengths import parse_wavelengths
from featbank.samples import TRAIN
from featbank.sources.weights import answers_of

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec, Provides
    from featbank.backbones.backbone import Config
    from featbank.bands import Band
    from featbank.inputs.adapters import Adapted
    from featbank.sources.embed_options import EmbedOptions
    from featbank.sources.fitting import Imagery
    from featbank.sources.loaded_weights import Weights

_RGB_COUNT = 3
_SHOWN = 6
_WAVES = "wavelengths_um"
# Own statistics of models whose folders may tell others.
_OF_RGB = ("imagenet", "sat493m")
# Of 0..255: a folder writes ImageNet's numbers rounded, or as float32.
_SAME_LEVELS = 0.05


@dataclass(frozen=True, kw_only=True)
class ChannelPasses:
    """Which channels go through the network together.

    Attributes:
        picks: Channels of each pass; a channel may be repeated.
        configs: Config of the network of each pass.
    """

    picks: tuple[tuple[int, ...], ...]
    configs: tuple[Config, ...]


def bind_weights(
    spec: BackboneSpec, weights: Weights, adapted: Adapted, options: EmbedOptions, *, dataset: str
) -> tuple[Weights, ChannelPasses]:
    """Fit a network's config to the channels it is given.

    Returns:
        The weights with their config bound (random ones drawn), and the passes.

    Raises:
        ContractError: The weights take other channels than there are.
        UsageError: ``--wavelengths`` for another model, or another number of them.
    """
    channels = adapted.channels
    config = _with_waves(spec, weights.config, channels, options)
    picks: tuple[tuple[int, ...], ...] = (tuple(range(len(channels))),)
    if adapted.is_split:
        _require_trained(spec)
        width = 1 if spec.bind else config["channels"]
        picks = tuple((i,) * width for i in range(len(channels)))
    if not spec.bind and (weights.is_read or adapted.is_split):
        _require_channels(spec, weights, config, len(picks[0]), channels, dataset)
    elif not spec.bind:
        config = {**config, "channels": len(channels)}
    if weights.is_random and spec.initial is not None:
        weights = replace(weights, state=spec.initial(config, options.seed))
    passes = ChannelPasses(picks=picks, configs=tuple(narrowed(config, pick) for pick in picks))
    return replace(weights, config=config), passes


def _with_waves(
    spec: BackboneSpec, config: Config, channels: tuple[Band, ...], options: EmbedOptions
) -> Config:
    waves = options.wavelengths
    if waves is None:
        return spec.bind(config, channels) if spec.bind else config
    if isinstance(waves, str):
        waves = parse_wavelengths(waves)
    if spec.bind is None or len(waves) != len(channels):
        raise UsageError(
            f"--wavelengths {','.join(map(str, waves[:_SHOWN]))}{' …' * (len(waves) > _SHOWN)}",
            f"{len(waves)} numbers, where model '{spec.name}' is given {len(channels)} channels"
            + ("" if spec.bind else " and takes no wavelengths"),
            "one number in µm for each channel of a DOFA model",
            "Correct or leave out --wavelengths.",
        )
    return {**config, "channels": len(channels), _WAVES: waves}


def _require_trained(spec: BackboneSpec) -> None:
    if not spec.takes_weights:
        raise UsageError(
            "--adapt per-band",
            f"model '{spec.name}' treats each band alone or is fitted on all of them",
            "a model with weights",
            "Leave --adapt out.",
        )


def _require_channels(
    spec: BackboneSpec,
    weights: Weights,
    config: Config,
    count: int,
    channels: tuple[Band, ...],
    dataset: str,
) -> None:
    if config["channels"] == count:
        return
    names = ", ".join(band.name for band in channels)
    raise ContractError(
        dataset,
        f"gives {len(channels)} bands ({names})",
        f"{config['channels']} for model '{spec.name}' with {weights.origin}",
        _way_out(channels, config["channels"]),
    )


def _way_out(channels: tuple[Band, ...], wanted: int) -> str:
    roles, names = {band.role for band in channels}, {band.name for band in channels}
    if wanted == _RGB_COUNT and {"red", "green", "blue"} <= roles:
        return "Choose bands, such as --bands rgb, or pass --adapt pca3 or per-band."
    if wanted == _RGB_COUNT and names == {"VV", "VH"}:
        return "Pass --adapt ratio (VV, VH, VV-VH) or --adapt per-band."
    if len(channels) < wanted:
        return "Pass --adapt repeat or per-band."
    few = ",".join(band.name for band in channels[:wanted])
    others = ", or pass --adapt pca3 or per-band" if wanted == _RGB_COUNT else ""
    return f"Choose bands, such as --bands {few}{others}."


def narrowed(config: Config, pick: tuple[int, ...]) -> Config:
    """The config of a network that is given some of the channels."""
    narrowed = {**config, "channels": len(pick)}
    if _WAVES in config:
        narrowed[_WAVES] = tuple(config[_WAVES][i] for i in pick)
    return narrowed


def shared_wavelengths(config: Config, passes: ChannelPasses, channels: tuple[Band, ...]) -> str:
    """What a user must know where bands share a wavelength and so a kernel; empty elsewhere."""
    waves = config.get(_WAVES)
    if waves is None or all(len(pick) == 1 for pick in passes.picks):
        return ""
    values, counts = np.unique(np.asarray(waves), return_counts=True)
    for value in values[counts > 1]:
        names = [b.name for b, wave in zip(channels, waves, strict=True) if wave == value]
        return (
            f"{' and '.join(names)} share the wavelength {value:g} µm, so the model sees their sum "
            "alone; --adapt per-band keeps them apart"
        )
    return ""


def require_statistics(spec: BackboneSpec, options: EmbedOptions) -> None:
    """Raise where nobody tells which statistics the weights were trained with.

    Raises:
        UsageError: Guessing would spoil every number that follows.
    """
    if options.normalise is None and spec.normalise is None:
        raise UsageError(
            spec.name,
            "its weights do not say which statistics they were trained with",
            "--normalise imagenet|half|dataset",
            "Pass the one that the weights' publisher names.",
        )


def require_answers_taken(spec: BackboneSpec, options: EmbedOptions) -> None:
    """Raise where an answer speaks of another family of models: it would be ignored in silence.

    Random weights leave nothing open either.

    Raises:
        UsageError: Names the answer.
    """
    answers_of(spec, options)


def require_compiles(options: EmbedOptions, provides: Provides) -> None:
    """Refuse to compile what has nothing to compile, or what must not vary.

    Raises:
        UsageError: As said.
    """
    if options.compile and options.deterministic:
        raise UsageError(
            "--compile",
            "compiled code may round otherwise in another run, which --deterministic forbids",
            "one of the two",
            "Leave out one of them.",
        )
    if options.compile and provides.depth == 1:
        raise UsageError(
            "--compile",
            f"model '{options.model}' has no transformer blocks, which are what is compiled",
            "a vision transformer",
            "Leave it out.",
        )


def own_statistics(spec: BackboneSpec, weights: Weights) -> str | None:
    """Name of a backbone's own statistics: its weights folder's where that tells others.

    Args:
        spec: The backbone.
        weights: Its weights, with what their ``preprocessor_config.json`` amounts to.
    """
    if "image_mean" not in weights.processor or spec.normalise not in _OF_RGB:
        return spec.normalise
    usual, told = (
        published(name, RGB, dataset=spec.name, processor=weights.processor)
        for name in (spec.normalise, "processor")
    )
    pairs = zip((*usual.mean, *usual.std), (*told.mean, *told.std), strict=False)
    is_same = all(abs(a - b) <= _SAME_LEVELS for a, b in pairs)
    return spec.normalise if is_same else "processor"


def normalise_method(
    spec: BackboneSpec,
    options: EmbedOptions,
    channels: tuple[Band, ...],
    imagery: Imagery,
    weights: Weights,
) -> str:
    """The normalisation asked for, or the backbone's own, or the dataset's.

    A checkpoint takes those of its training. Else eight-bit RGB takes the backbone's own
    statistics, everything else the dataset's: fitted on the train split, or published ones where
    this copy has no split lists.
    """
    if options.normalise is not None:
        return options.normalise
    if spec.normalise == OWN_STATISTICS:
        return OWN_STATISTICS
    own = own_statistics(spec, weights) or "dataset"
    method = own if is_rgb(channels) else "dataset"
    has_train = bool((imagery.dataset.samples.splits[imagery.scheme] == TRAIN).any())
    if method == "dataset" and not has_train and imagery.dataset.statistics is not None:
        return "published"
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
