"""What a pretraining method is: a cheap record, and the module that it builds."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from featbank.backbones.backbone import Config, State
    from featbank.layers.vit import VisionTransformer
    from featbank.methods.parts.draws import Draws
    from featbank.methods.views.crop_recipe import CropRecipe


# What a method drew for its chips, by names of its own.
Drawn = Mapping[str, "Tensor"]


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long a run is.

    Attributes:
        steps: Optimiser steps of the whole run.
        steps_per_epoch: Optimiser steps that see every chip once.
        batch_size: Chips of one step, over all processes.
    """

    steps: int
    steps_per_epoch: int
    batch_size: int


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A frozen network to learn from.

    Attributes:
        config: Its architecture.
        state: Its encoder's tensors.
        heads: Its heads' tensors, as ``Method.heads`` gave them.
        hyper: Hyper-parameters that shape its heads.
    """

    config: Config
    state: State
    heads: State
    hyper: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class MethodRequest:
    """What a method is built from.

    Attributes:
        config: Architecture of the encoder.
        state: Its first weights.
        hyper: The method's hyper-parameters.
        seed: Seed of whatever else starts at random, such as heads.
        image_px: Side of the largest view.
        heads: First weights of the heads, from a checkpoint of the same method; empty starts at
            random.
        is_warm: Whether the first weights are trained ones rather than drawn at random.
        teacher: The frozen teacher of a distillation.
    """

    config: Config
    state: State
    hyper: Mapping[str, Any]
    seed: int
    image_px: int
    heads: State = field(default_factory=dict)
    is_warm: bool = False
    teacher: Teacher | None = None


@dataclass(frozen=True)
class StepOutput:
    """What one forward pass of a method gives.

    Attributes:
        loss: Scalar to be minimised.
        parts: Its summands and other scalars for the log, detached.
        features: (n, D) encoder features of the views, detached, for the watch over collapse.
        targets: (n, K) probabilities that the teacher gave, detached; None for methods without.
    """

    loss: Tensor
    parts: Mapping[str, Tensor]
    features: Tensor
    targets: Tensor | None = None


class Method(metaclass=ABCMeta):
    """A method in training; implementations are ``torch.nn.Module`` too.

    Parameters that require a gradient are trained; those of ``encoder`` get layer-wise learning
    rates. Buffers and parameters together are the method's whole state, so that ``state_dict``
    and ``load_state_dict`` resume it exactly.

    Attributes:
        encoder: The network that is trained.
    """

    encoder: VisionTransformer

    def draw(self, draws: Draws, sides: Mapping[str, int]) -> Drawn:
        """All that a forward pass needs of random numbers, on the CPU; most methods need nothing.

        It is drawn ahead of the step, in a thread: it may depend on no parameter.

        Args:
            draws: Random numbers of b chips.
            sides: Side of the views in pixels by crop name.
        """
        del draws, sides
        return {}

    @abstractmethod
    def forward(
        self, views: Mapping[str, Tensor], drawn: Drawn, numbers: Mapping[str, float]
    ) -> StepOutput:
        """Loss of one batch.

        Args:
            views: (count * b, C, s, s) by crop name; all chips of the first crop, then of the
                second.
            drawn: What ``draw`` gave for these chips, on the device.
            numbers: Values of the method's schedules at this step.
        """

    def before_update(self, numbers: Mapping[str, float]) -> None:  # noqa: B027 - most have none
        """What happens to gradients before the optimiser's step, such as freezing a layer."""

    def after_update(self, numbers: Mapping[str, float]) -> None:  # noqa: B027 - most have none
        """What happens after the optimiser's step, such as moving the teacher."""

    @abstractmethod
    def kept(self) -> Mapping[str, Tensor]:
        """The encoder's tensors that the checkpoint keeps: the teacher's where there is one."""

    def heads(self) -> Mapping[str, Tensor]:
        """Tensors of the heads, to go on or to distil from; empty for methods without."""
        return {}


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """A catalog entry.

    Attributes:
        name: What users type after ``--method``.
        summary: One line on what it is.
        source: Paper and upstream file.
        hyper: Every hyper-parameter with its published value. All methods have ``epochs``,
            ``batch_size``, ``lr``, ``lr_batch`` (the batch that ``lr`` is for), ``lr_rule``
            (``linear`` or ``sqrt``), ``min_lr``, ``warmup_epochs``, ``weight_decay``,
            ``weight_decay_end``, ``beta1``, ``beta2``, ``clip`` (0: none), ``layer_decay``,
            ``patch_embed_lr``, ``drop_path``, ``layer_scale_init``.
        crops: Views of a run from its hyper-parameters, image size and patch, in pixels.
        schedules: The method's own numbers, (steps,) each, beside ``lr`` and ``weight_decay``.
        build: Makes the module.
        needs_teacher: Whether a frozen teacher has to be named.
        default_feature: Feature of its encoders that probes take when none is named.
    """

    name: str
    summary: str
    source: str
    hyper: Mapping[str, Any]
    crops: Callable[[Mapping[str, Any], int, int], tuple[CropRecipe, ...]] = field(repr=False)
    schedules: Callable[[Mapping[str, Any], Length], Mapping[str, NDArray[Any]]] = field(repr=False)
    build: Callable[[MethodRequest], Method] = field(repr=False)
    needs_teacher: bool = False
    default_feature: str = "cls"
