"""DINOv2 in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from featbank.stages.pretrain.losses.masked_patches import masked_patches_loss
from featbank.stages.pretrain.losses.prototypes import entropy, views_loss
from featbank.stages.pretrain.losses.spread import spread_loss
from featbank.stages.pretrain.masks import block_masks
from featbank.stages.pretrain.methods._multi_crop import GLOBAL_VIEWS, by_view
from featbank.stages.pretrain.methods._self_distillation import SelfDistillation
from featbank.stages.pretrain.methods._student import fitting_tensors
from featbank.stages.pretrain.methods.method import StepOutput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.stages.pretrain.draws import Draws
    from featbank.stages.pretrain.methods.method import MethodRequest

_DINO, _IBOT, _MASK_TOKEN = "dino", "ibot", "mask_token"


class _Hidden(NamedTuple):
    """Patches that the student does not see.

    Attributes:
        masked: (2 b, T) bool on the CPU.
        places: (m,) where they are among all patches, on the views' device.
    """

    masked: Tensor
    places: Tensor


class Dinov2Training(SelfDistillation):
    """Self-distillation over CLS tokens and hidden patches.

    Attributes:
        mask_token: What stands in place of a hidden patch.

    Args:
        request: What to build from.
    """

    def __init__(self, request: MethodRequest) -> None:
        hyper = request.hyper
        prototypes = {_DINO: int(hyper["prototypes"]), _IBOT: int(hyper["patch_prototypes"])}
        super().__init__(request, prototypes, has_uniform_drop=True)
        self.mask_token = nn.Parameter(torch.zeros(self.encoder.config.dim))
        if request.heads:
            kept = fitting_tensors({_MASK_TOKEN: self.mask_token}, request.heads)
            self.mask_token.data.copy_(kept[_MASK_TOKEN])

    def forward(
        self, views: Mapping[str, Tensor], draws: Draws, numbers: Mapping[str, float]
    ) -> StepOutput:
        """Loss of one batch: ``global`` (2 b, C, s, s), and ``local`` (n b, C, t, t) if any."""
        hidden = self._hide(views["global"], draws)
        targets, patch_targets = self._targets(
            views["global"], hidden, numbers["teacher_temperature"]
        )
        tokens, features = self._encoded(views, hidden)
        own = features[: len(targets)]
        dino = self._views_loss(features, targets)
        scores = self.student_heads[_IBOT](self._patches(tokens, hidden))
        ibot = masked_patches_loss(
            scores,
            patch_targets,
            hidden.masked,
            temperature=self._hyper["student_temperature"],
        )
        # Two crops of one chip are not to be kept apart: each crop is a batch of its own.
        koleo = torch.stack([spread_loss(crop) for crop in own.chunk(GLOBAL_VIEWS)]).sum()
        parts = {"dino": dino, "ibot": ibot, "koleo": koleo}
        weighted = [self._hyper[f"{name}_weight"] * part for name, part in parts.items()]
        told = {name: part.detach() for name, part in parts.items()}
        told["teacher_entropy"] = entropy(targets)
        told["patch_teacher_entropy"] = entropy(patch_targets)
        return StepOutput(torch.stack(weighted).sum(), told, own.detach(), targets)

    def heads(self) -> Mapping[str, Tensor]:
        """The teacher's heads and centres, and the mask token."""
        return {**super().heads(), _MASK_TOKEN: self.mask_token.detach()}

    def _hide(self, views: Tensor, draws: Draws) -> _Hidden:
        patch_px = self.encoder.config.patch_px
        masked = block_masks(
            draws,
            crops=GLOBAL_VIEWS,
            grid=(views.shape[2] // patch_px, views.shape[3] // patch_px),
            probability=self._hyper["mask_probability"],
            ratio=tuple(self._hyper["mask_ratio"]),
        )
        # Found on the CPU: a GPU would have to be waited for.
        places = masked.flatten().nonzero().flatten()
        return _Hidden(masked, places.to(views.device, non_blocking=True))

    def _encoded(self, views: Mapping[str, Tensor], hidden: _Hidden) -> tuple[Tensor, Tensor]:
        """Tokens of the global crops, and CLS of all crops, the global ones first."""
        masked = hidden.masked.to(views["global"].device, non_blocking=True)
        tokens = self.encoder.encode(views["global"], masked=masked, mask_token=self.mask_token)
        crops = [tokens[:, 0]]
        if "local" in views:
            crops.append(self.encoder.encode(views["local"])[:, 0])
        return tokens, torch.cat(crops)

    def _views_loss(self, features: Tensor, targets: Tensor) -> Tensor:
        scores = self.student_heads[_DINO](features)
        return views_loss(
            by_view(scores, len(targets)),
            by_view(targets, len(targets)),
            temperature=self._hyper["student_temperature"],
            own_views=GLOBAL_VIEWS,
        )

    def _patches(self, tokens: Tensor, hidden: _Hidden) -> Tensor:
        """(2 b, 1 + R + T, D) tokens -> (m, D): the hidden patches."""
        patches = tokens[:, 1 + self.encoder.config.registers :]
        return patches.flatten(0, 1).index_select(0, hidden.places)

    @torch.no_grad()
    def _targets(self, views: Tensor, hidden: _Hidden, temperature: float) -> tuple[Tensor, Tensor]:
        """(2 b, K) probabilities for the global crops, and (m, K') for the hidden patches."""
        tokens = self.teacher.encode(views)
        cls = self.teacher_heads[_DINO](tokens[:, 0])
        patches = self.teacher_heads[_IBOT](self._patches(tokens, hidden))
        return self.targets[_DINO](cls, temperature), self.targets[_IBOT](patches, temperature)
