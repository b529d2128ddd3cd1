"""DINOv2 in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featbank.methods._cls_and_patches import (
    DINO,
    IBOT,
    ClsAndPatches,
    Compared,
    chosen_patches,
)
from featbank.methods._multi_crop import GLOBAL_VIEWS
from featbank.methods._student import fitting_tensors, student_tokens
from featbank.methods.losses.masked_patches import patch_weights
from featbank.methods.parts.masks import block_masks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.methods.method import Drawn, MethodRequest
    from featbank.methods.parts.draws import Draws

_MASK_TOKEN = "mask_token"


class Dinov2Training(ClsAndPatches):
    """Self-distillation over CLS tokens and hidden patches.

    Attributes:
        mask_token: What stands in place of a hidden patch.

    Args:
        request: What to build from.
    """

    def __init__(self, request: MethodRequest) -> None:
        hyper = request.hyper
        prototypes = {DINO: int(hyper["prototypes"]), IBOT: int(hyper["patch_prototypes"])}
        super().__init__(request, prototypes, has_uniform_drop=True)
        self.mask_token = nn.Parameter(torch.zeros(self.encoder.config.dim))
        if request.heads:
            kept = fitting_tensors({_MASK_TOKEN: self.mask_token}, request.heads)
            self.mask_token.data.copy_(kept[_MASK_TOKEN])

    def heads(self) -> Mapping[str, Tensor]:
        """The teacher's heads and centres, and the mask token."""
        return {**super().heads(), _MASK_TOKEN: self.mask_token.detach()}

    def draw(self, draws: Draws, sides: Mapping[str, int]) -> Drawn:
        """Patches of the global crops that are hidden.

        Returns:
            ``masked`` (2 b, T) bool; ``places`` (m,) of the hidden ones among all, and what each
            counts in the loss, ``weights`` (m,).
        """
        side = sides["global"] // self.encoder.config.patch_px
        masked = block_masks(
            draws,
            crops=GLOBAL_VIEWS,
            grid=(side, side),
            probability=self._hyper["mask_probability"],
            ratio=tuple(self._hyper["mask_ratio"]),
        )
        places = masked.flatten().nonzero().flatten()
        return {"masked": masked, "places": places, "weights": patch_weights(masked)}

    def _compared(self, views: Tensor, drawn: Drawn) -> Compared:
        del views
        return Compared(drawn["places"], drawn["weights"])

    @torch.no_grad()
    def _taught(self, views: Tensor, compared: Compared, temperature: float) -> dict[str, Tensor]:
        tokens = self.average.encode(views)
        patches = chosen_patches(tokens, self.encoder.config.registers, compared)
        logits = {
            DINO: self.average_heads[DINO](tokens[:, 0]),
            IBOT: self.average_heads[IBOT](patches),
        }
        return {name: self.targets[name](value, temperature) for name, value in logits.items()}

    def _encoded(self, views: Mapping[str, Tensor], drawn: Drawn) -> tuple[Tensor, Tensor]:
        return student_tokens(
            self.encoder, views, masked=drawn["masked"], mask_token=self.mask_token
        )
