"""Which patches of a view are hidden: random ones for MAE, blocks for iBOT and DINOv2."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from featbank.methods.parts.draws import Draws

# Smallest area of a block and its smallest aspect: dinov2/data/masking.py, MaskingGenerator.
_SMALLEST_BLOCK = 4
_ASPECT = 0.3
# Proposals that may fail one after another before a mask is taken as it is; the same file.
_PATIENCE = 10
# Proposals of a mask in all. Among 20,000 masks of 14 x 14 patches the most was 28, among 4,000 of
# 37 x 37 it was 35.
_PROPOSALS = 64


class RandomMask(NamedTuple):
    """Masks of b chips, on the CPU.

    Attributes:
        keep: (b, t) int64 indices of the patches that the encoder sees, in random order.
        mask: (b, T) float32, 1 where a patch is removed.
        restore: (b, T) int64: places of the patches in the shuffled order, kept ones first.
    """

    keep: Tensor
    mask: Tensor
    restore: Tensor


def random_keep(draws: Draws, tokens: int, ratio: float) -> RandomMask:
    """Remove the same number of patches from every chip, chosen at random.

    Args:
        draws: Random numbers of b chips.
        tokens: T, patches of a view.
        ratio: Share of them that is removed, 0 to 1; one patch is always kept.

    References:
        He et al. 2022, arXiv:2111.06377, section 3; models_mae.py, random_masking.
    """
    noise = draws.uniform(tokens)
    order = noise.argsort(dim=1, stable=True)
    places = torch.arange(tokens).expand_as(order)
    restore = torch.empty_like(order).scatter_(1, order, places)
    # 20 * (1 - 0.9) is a hair below 2.
    kept = max(1, math.floor(tokens * (1 - ratio) + 1e-9))
    return RandomMask(keep=order[:, :kept], mask=(restore >= kept).float(), restore=restore)


def block_masks(
    draws: Draws,
    *,
    crops: int,
    grid: tuple[int, int],
    probability: float = 0.5,
    ratio: tuple[float, float] = (0.1, 0.5),
) -> Tensor:
    """Hide blocks of patches in some of the crops.

    A share of the crops is masked. The shares of their patches that are hidden are spread evenly
    over ``ratio``. Blocks are placed one after another until the wanted number of patches is
    hidden or ten proposals in a row do not fit; so a mask never has more than that number, and
    may have a few less.

    Differences from DINOv2:
    - Which crops are masked, and how much of each, is settled over the batch of all processes
      (there: of one process), so that a run does not depend on how many processes share it.
    - A mask takes at most 64 proposals in all (there: no limit), so that every mask draws equally
      many random numbers. No mask has been seen to reach it.
    - A block has no upper limit of its own: DINOv2's, half of the patches, is never below what is
      still wanted with the published ratios.

    Args:
        draws: Random numbers of b chips.
        crops: Crops of each chip.
        grid: Patches of a crop from top to bottom and from left to right.
        probability: Share of the batch's crops that is masked, rounded down to a whole number.
        ratio: Smallest and largest share of a masked crop's patches.

    Returns:
        (crops * b, gy * gx) bool on the CPU, True where a patch is hidden; all chips of the first
        crop, then of the second.

    References:
        Bao et al. 2022, arXiv:2106.08254, algorithm 1; Zhou et al. 2022, arXiv:2111.07832;
        dinov2/data/masking.py and dinov2/data/collate.py.
    """
    targets = _targets(draws, crops, grid, probability, ratio)
    proposals = draws.uniform(crops, _PROPOSALS, 4).flatten(0, 1).double().numpy()
    masks = np.zeros((len(targets), *grid), dtype=bool)
    chosen = np.flatnonzero(targets)
    masks[chosen] = _fill(targets[chosen], proposals[chosen], grid)
    # (b, crops, gy, gx) -> (crops * b, gy * gx)
    by_crop = masks.reshape(-1, crops, grid[0] * grid[1]).swapaxes(0, 1)
    return torch.from_numpy(by_crop.reshape(-1, grid[0] * grid[1]).copy())


def _targets(
    draws: Draws, crops: int, grid: tuple[int, int], probability: float, ratio: tuple[float, float]
) -> NDArray[Any]:
    """(b * crops,) patches to hide, crops of a chip side by side; 0 where none is."""
    numbers = draws.whole(crops, 2).flatten(0, 1).double()
    masked = int(len(numbers) * probability)
    place = numbers[:, 0].argsort(stable=True).argsort(stable=True)
    # The i-th of the masked crops has its share in the i-th of equal parts of the range.
    share = ratio[0] + (ratio[1] - ratio[0]) * (place + numbers[:, 1]) / max(1, masked)
    wanted = torch.where(place < masked, (grid[0] * grid[1] * share).floor(), 0.0)
    own = wanted.reshape(-1, crops)[draws.rows.start : draws.rows.stop]
    return own.flatten().long().numpy()


def _fill(targets: NDArray[Any], proposals: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """(n, gy, gx) masks of at most ``targets`` patches; one proposal of all masks at a time."""
    masks = np.zeros((len(targets), *grid), dtype=bool)
    left, failures = targets.copy(), np.zeros(len(targets), dtype=np.int64)
    for turn in range(_PROPOSALS):
        active = np.flatnonzero((left > 0) & (failures < _PATIENCE))
        if not len(active):
            break
        fresh = _block(proposals[active, turn], left[active], grid) & ~masks[active]
        added = fresh.sum(axis=(1, 2))
        accepted = (added > 0) & (added <= left[active])
        failures[active] = np.where(accepted, 0, failures[active] + 1)
        left[active] -= np.where(accepted, added, 0)
        masks[active[accepted]] |= fresh[accepted]
    return masks


def _block(numbers: NDArray[Any], left: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """(n, gy, gx) bool blocks; empty where the proposed one is not smaller than the grid."""
    area = _SMALLEST_BLOCK + (left - _SMALLEST_BLOCK) * numbers[:, 0]
    aspect = np.exp(-math.log(_ASPECT) * (2 * numbers[:, 1] - 1))
    tall, wide = np.rint(np.sqrt(area * aspect)), np.rint(np.sqrt(area / aspect))
    fits = (tall < grid[0]) & (wide < grid[1])
    top = np.floor(numbers[:, 2] * (grid[0] - tall + 1))
    side = np.floor(numbers[:, 3] * (grid[1] - wide + 1))
    rows = _between(np.arange(grid[0]), top, np.where(fits, tall, 0))
    columns = _between(np.arange(grid[1]), side, wide)
    blocks: NDArray[Any] = rows[:, :, None] & columns[:, None, :]
    return blocks


def _between(places: NDArray[Any], start: NDArray[Any], length: NDArray[Any]) -> NDArray[Any]:
    offset = places - start[:, None]
    inside: NDArray[Any] = (offset >= 0) & (offset < length[:, None])
    return inside
