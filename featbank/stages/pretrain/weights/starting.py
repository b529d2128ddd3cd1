"""What a run starts from: weights drawn at random, or those of a network trained before."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.bank.checkpoints import is_checkpoint, read_checkpoint, read_heads, read_seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.backbones.backbone import Config, State
    from featbank.bands import Band
    from featbank.bank.checkpoints import Checkpoint
    from featbank.methods.method import MethodSpec
    from featbank.sources.first_weights import FirstWeights
    from featbank.stages.pretrain.options import PretrainOptions

# Hyper-parameters that shape a method's heads have one of these in their names.
_OF_HEADS = ("head", "prototypes", "decoder", "untied")
_SAME_SHAPE = ("dim", "channels", "patch_px")


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a run starts from.

    Attributes:
        state: The encoder's tensors.
        origin: In words, for people.
        recipe: What decides them, for the recipe: the seed, or a hash and how they were carried
            over.
        heads: Tensors of the method's heads; empty draws them at random.
        licence: Of the weights; empty where at random.
        is_warm: Whether they were trained before.
        saw: What they were trained on, as ``Checkpoint.saw``.
        seen: Ids of those chips, by dataset.
        notes: What a user must know of them.
    """

    state: State
    origin: str
    recipe: Mapping[str, Any]
    heads: State = field(default_factory=dict)
    licence: str = ""
    is_warm: bool = False
    saw: tuple[Mapping[str, Any], ...] = ()
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def start_of(
    options: PretrainOptions,
    method: MethodSpec,
    config: Config,
    hyper: Mapping[str, Any],
    bands: Sequence[Band],
) -> Start:
    """The first weights that the options mean.

    Args:
        options: ``weights``, ``inflate``, ``patch``, ``seed``.
        method: The method.
        config: Architecture of the encoder.
        hyper: The method's hyper-parameters.
        bands: Channels that the network is given.

    Raises:
        FeatbankError: Weights that are not there, damaged, or of another network.
    """
    if options.weights is None:
        return random_start(config, options.seed, layer_scale_init=hyper["layer_scale_init"])
    return _warm_start(options.weights, options, method, config, hyper, bands)


def random_start(config: Config, seed: int, *, layer_scale_init: float) -> Start:
    """Untrained weights, their layer scales at the method's first value.

    Args:
        config: Fields of ``VitConfig``.
        seed: Of the draw.
        layer_scale_init: First value of layer scales, where the network has them.
    """
    import torch

    from featbank.backbones.building.vit_build import initial_vit

    state = dict(initial_vit(config, seed))
    for name, value in state.items():
        if name.endswith(".gamma"):
            state[name] = torch.full_like(value, layer_scale_init)
    return Start(state=state, origin=f"random (seed {seed})", recipe={"weights": "random"})


def _warm_start(
    named: str,
    options: PretrainOptions,
    method: MethodSpec,
    config: Config,
    hyper: Mapping[str, Any],
    bands: Sequence[Band],
) -> Start:
    from featbank.sources.first_weights import read_first_weights
    from featbank.stages.pretrain.weights.warm_start import warm_started

    source = read_first_weights(named, options.answers)
    warm = warm_started(
        config,
        source,
        bands=bands,
        inflate=options.inflate,
        seed=options.seed,
        may_resample=options.patch is not None,
    )
    folder = Path(named)
    own = read_checkpoint(folder) if is_checkpoint(folder) else None
    heads, said = _heads(folder, own, method, config, hyper)
    return Start(
        state=warm.state,
        heads=heads,
        origin=warm.origin,
        licence=warm.licence,
        is_warm=True,
        recipe={
            "weights_sha256": warm.sha256,
            "inflate": options.inflate,
            "has_heads": bool(heads),
            **({"part": source.part} if source.part else {}),
        },
        saw=() if own is None else own.saw,
        seen={} if own is None else read_seen(folder),
        notes=(*source.notes, *_assumed(source, config), *warm.notes, *said),
    )


def _assumed(source: FirstWeights, config: Config) -> tuple[str, ...]:
    from featbank.backbones.building.vit_build import assumed_heads

    return () if source.heads else (assumed_heads(config["dim"], config["heads"]),)


def _heads(
    folder: Path,
    own: Checkpoint | None,
    method: MethodSpec,
    config: Config,
    hyper: Mapping[str, Any],
) -> tuple[State, list[str]]:
    """Heads of a checkpoint of the same method and shape; others start at random, which is said."""
    if own is None or own.recipe.get("method") != method.name:
        return {}, []
    import torch

    theirs = own.recipe.get("hyper", {})
    shapes = [name for name in hyper if any(word in name for word in _OF_HEADS)]
    other = [name for name in shapes if theirs.get(name) != hyper[name]]
    other += [name for name in _SAME_SHAPE if own.config[name] != config[name]]
    if other:
        return {}, [f"heads start at random, since {', '.join(other)} differ from {own.name}"]
    return {name: torch.from_numpy(v) for name, v in read_heads(folder).items()}, []
