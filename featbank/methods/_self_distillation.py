"""What DINO, DINOv2 and distillation share: a student, its moving average, their heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import nn

from featbank.layers.drop_path import set_drop_path
from featbank.methods._student import (
    head_of,
    named,
    restore,
    student_of,
)
from featbank.methods._targets import Targets
from featbank.methods.method import Method
from featbank.methods.parts.moving_average import frozen_copy, move_average

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from featbank.layers.projection_head import ProjectionHead
    from featbank.methods.method import MethodRequest


class SelfDistillation(nn.Module, Method):
    """A student with heads and their moving average, which DINO and DINOv2 take as the teacher.

    Attributes:
        encoder: The student.
        student_heads: Heads by name, trained.
        average: Moving average of the student, which the checkpoint keeps.
        average_heads: Moving averages of the heads.
        targets: What makes targets of the logits of each of the teacher's heads.

    Args:
        request: What to build from.
        prototypes: Number of prototypes of each head.
        has_uniform_drop: Whether stochastic depth is the same in all blocks.

    Raises:
        WeightsError: The request's heads do not fit.
    """

    def __init__(
        self, request: MethodRequest, prototypes: Mapping[str, int], *, has_uniform_drop: bool
    ) -> None:
        super().__init__()
        hyper = request.hyper
        self._hyper = hyper
        self.encoder = student_of(request)
        dim = self.encoder.config.dim
        self.student_heads = nn.ModuleDict()
        self.targets = nn.ModuleDict()
        for place, (name, count) in enumerate(prototypes.items()):
            self.student_heads[name] = head_of(dim, count, hyper, seed=request.seed + place)
            self.targets[name] = Targets(count, hyper)
        if request.heads:
            restore(self.student_heads, request.heads, "head")
            restore(self.targets, request.heads, "targets")
        self.average = frozen_copy(self.encoder)
        self.average_heads = frozen_copy(self.student_heads)
        # After the copy: the average leaves nothing out.
        set_drop_path(self.encoder, hyper["drop_path"], is_uniform=has_uniform_drop)
        for head in self._heads():
            head.last_layer.weight_g.requires_grad_(not hyper["norm_last_layer"])

    def before_update(self, numbers: Mapping[str, float]) -> None:
        """Leave the prototypes as they are while they are frozen."""
        if numbers["last_layer_frozen"]:
            for head in self._heads():
                for parameter in head.last_layer.parameters():
                    parameter.grad = None

    def after_update(self, numbers: Mapping[str, float]) -> None:
        """Move the average and the centres."""
        move_average(self.average, self.encoder, numbers["momentum"])
        move_average(self.average_heads, self.student_heads, numbers["momentum"])
        for targets in self.targets.values():
            cast("Targets", targets).centre.move()

    def kept(self) -> Mapping[str, Tensor]:
        """The average's tensors."""
        return self.average.state_dict()

    def heads(self) -> Mapping[str, Tensor]:
        """The average's heads, and the centres of the targets."""
        return {**named("head", self.average_heads), **named("targets", self.targets)}

    def _heads(self) -> list[ProjectionHead]:
        return [cast("ProjectionHead", head) for head in self.student_heads.values()]
