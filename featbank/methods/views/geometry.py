"""Where a view comes from and how it is turned: random numbers to matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from featbank.methods.views.boxes import TRIES, crop_boxes
from featbank.methods.views.resampling import resampling_matrix

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.methods.parts.draws import Draws
    from featbank.methods.views.crop_recipe import CropRecipe


class Geometry(NamedTuple):
    """How the pixels of b views follow from those of their chips.

    Attributes:
        boxes: (b, 4) int64: top, left, height, width in pixels.
        mirror_rows: (b,) bool: whether top and bottom change places, before any turn.
        mirror_columns: (b,) bool: whether left and right do.
        turned: (m,) int64: which views change rows and columns afterwards.
    """

    boxes: Tensor
    mirror_rows: Tensor
    mirror_columns: Tensor
    turned: Tensor

    def matrices(self, size: tuple[int, int], side: int) -> tuple[Tensor, Tensor]:
        """(b, side, H) and (b, side, W) matrices that crop, resize and mirror."""
        top, left, tall, wide = self.boxes.unbind(1)
        return (
            resampling_matrix(top, tall, self.mirror_rows, size_in=size[0], size_out=side),
            resampling_matrix(left, wide, self.mirror_columns, size_in=size[1], size_out=side),
        )


def draw_geometry(draws: Draws, size: tuple[int, int], recipe: CropRecipe) -> Geometry:
    """Boxes, mirrorings and turns of one crop of every chip, on the CPU.

    Args:
        draws: Random numbers of b chips.
        size: Height and width of the chips in pixels.
        recipe: What is allowed.
    """
    boxes = crop_boxes(draws.uniform(TRIES, 4), size, scale=recipe.scale, ratio=recipe.ratio)
    numbers = draws.uniform(3)
    rows, columns = numbers[:, 0] < recipe.flip, numbers[:, 1] < recipe.flip
    turns = (numbers[:, 2] * 4).long() if recipe.quarter_turns else torch.zeros(len(boxes)).long()
    # A counter-clockwise quarter turn is a mirroring of the columns, then a transposition.
    return Geometry(
        boxes=boxes,
        mirror_rows=rows ^ (turns >= 2),
        mirror_columns=columns ^ ((turns == 1) | (turns == 2)),
        turned=(turns % 2 == 1).nonzero().flatten(),
    )
