import math
import random

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import example, given
from scipy import ndimage

from featbank.methods.parts.draws import Draws
from featbank.methods.parts.masks import block_masks, random_keep

GRID = (14, 14)


def draws_of(chips, *, step=0, rows=None):
    return Draws(seed=5, step=step, total=chips, rows=rows or range(chips))


@pytest.fixture(scope="module")
def blocks():
    """4,000 masks of two crops of 2,000 chips."""
    return block_masks(draws_of(2000), crops=2, grid=GRID)


def slow_mask(target, height, width, numbers):
    """One mask, one patch at a time, from the description of the method."""
    hidden, failures = set(), 0
    while len(hidden) < target and failures < 10:
        left = target - len(hidden)
        area = numbers.uniform(4, left)
        aspect = math.exp(numbers.uniform(math.log(0.3), math.log(1 / 0.3)))
        tall, wide = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        fresh = set()
        if tall < height and wide < width:
            top, side = numbers.randint(0, height - tall), numbers.randint(0, width - wide)
            block = {(top + i, side + j) for i in range(tall) for j in range(wide)}
            fresh = block - hidden
        accepted = 0 < len(fresh) <= left
        hidden |= fresh if accepted else set()
        failures = 0 if accepted else failures + 1
    mask = np.zeros((height, width), dtype=bool)
    for place in hidden:
        mask[place] = True
    return mask


def slow_masks(count, low=0.1, high=0.5):
    """Masks whose shares are spread over the range, one stretch for each."""
    numbers, edges = random.Random(2), np.linspace(low, high, count + 1)
    targets = [int(196 * numbers.uniform(edges[i], edges[i + 1])) for i in range(count)]
    return np.stack([slow_mask(target, *GRID, numbers) for target in targets])


def components(masks):
    return np.array([ndimage.label(mask)[1] for mask in masks])


def test_random_masks_keep_what_they_say():
    keep, mask, restore = random_keep(draws_of(5), 196, 0.75)
    assert keep.shape == (5, 49)
    assert mask.sum(dim=1).tolist() == [147.0] * 5
    assert mask.gather(1, keep).eq(0).all()
    assert restore.gather(1, keep).equal(torch.arange(49).expand(5, -1))


def test_shuffled_patches_are_restored():
    keep, mask, restore = random_keep(draws_of(3), 12, 0.5)
    patches = torch.arange(12.0).expand(3, -1)
    hidden = torch.full((3, 6), -1.0)
    rebuilt = torch.cat([patches.gather(1, keep), hidden], dim=1).gather(1, restore)
    assert rebuilt.equal(torch.where(mask == 1, -1.0, patches))


def test_every_patch_is_removed_equally_often():
    mask = random_keep(draws_of(4000), 16, 0.75).mask
    # Three standard errors of a share of 0.75 among 4,000, for the worst of 16.
    assert (mask.mean(dim=0) - 0.75).abs().max() < 4 * math.sqrt(0.75 * 0.25 / 4000)


@example(tokens=20, percent=90)  # 20 * (1 - 0.9) is a hair below 2
@given(tokens=st.integers(1, 300), percent=st.integers(0, 100))
def test_the_share_removed_is_rounded_as_the_paper_does(tokens, percent):
    mask = random_keep(draws_of(2), tokens, percent / 100).mask
    kept = max(1, tokens * (100 - percent) // 100)
    assert mask.sum(dim=1).eq(tokens - kept).all()


@pytest.mark.parametrize("chips", [1, 3, 10])
def test_half_of_the_crops_are_masked(chips):
    masks = block_masks(draws_of(chips), crops=2, grid=GRID)
    assert masks.shape == (2 * chips, 196)
    assert int(masks.any(dim=1).sum()) == chips


def test_shares_are_spread_evenly(blocks):
    shares = blocks.float().mean(dim=1)
    shares = shares[shares > 0].sort().values
    even = torch.linspace(0.1, 0.5, len(shares))
    # Whole patches, and masks that fall a few short of their target.
    assert (shares - even).abs().max() < 4 / 196


def test_masks_hide_no_more_than_was_wanted():
    for step in range(30):
        masks = block_masks(draws_of(4, step=step), crops=2, grid=GRID)
        counts = masks.sum(dim=1).sort().values[-4:]
        assert counts.le(torch.tensor([0.2, 0.3, 0.4, 0.5]) * 196).all()


def test_crops_of_either_place_are_masked_alike(blocks):
    first, second = blocks.reshape(2, 2000, 196).any(dim=2).float().mean(dim=1)
    # Two binomial shares of 0.5 of 2,000 each, four standard errors.
    assert abs(first - second) < 4 * math.sqrt(2 * 0.25 / 2000)


def test_masks_are_like_those_of_a_slow_loop(blocks):
    ours = blocks[blocks.any(dim=1)].reshape(-1, *GRID).numpy()
    slow = slow_masks(1000)
    assert ours.mean() == pytest.approx(slow.mean(), abs=0.005)
    assert components(ours).mean() == pytest.approx(components(slow).mean(), rel=0.06)
    difference = ours.mean(axis=0) - slow.mean(axis=0)
    assert np.abs(difference).max() < 5 * math.sqrt(0.3 * 0.7 * 1.5 / 1000)


def test_masks_are_blocks_and_not_dust(blocks):
    ours = blocks[blocks.any(dim=1)][:300]
    generator = torch.Generator().manual_seed(0)
    shuffled = torch.stack([mask[torch.randperm(196, generator=generator)] for mask in ours])
    mean = [components(m.reshape(-1, *GRID).numpy()).mean() for m in (ours, shuffled)]
    assert mean[0] < mean[1] / 5


def test_masks_of_parts_of_a_batch_are_those_of_the_whole():
    whole = block_masks(draws_of(6), crops=2, grid=(6, 9)).reshape(2, 6, -1)
    parts = [
        block_masks(draws_of(6, rows=rows), crops=2, grid=(6, 9)).reshape(2, len(rows), -1)
        for rows in (range(2), range(2, 6))
    ]
    assert torch.cat(parts, dim=1).equal(whole)


@given(
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    chips=st.integers(1, 5),
    high=st.floats(0.1, 0.9),
)
def test_no_grid_is_masked_beyond_its_share(rows, columns, chips, high):
    masks = block_masks(
        draws_of(chips), crops=2, grid=(rows, columns), probability=1.0, ratio=(0.1, high)
    )
    assert masks.shape == (2 * chips, rows * columns)
    assert masks.sum(dim=1).max() <= high * rows * columns


def test_probability_zero_hides_nothing():
    assert not block_masks(draws_of(3), crops=2, grid=GRID, probability=0.0).any()


def test_the_share_of_a_single_mask_is_anywhere_in_the_range():
    steps = [block_masks(draws_of(1, step=step), crops=2, grid=GRID) for step in range(60)]
    shares = torch.stack(steps).float().mean(dim=2).amax(dim=1)
    assert shares.min() < 0.15
    assert shares.max() > 0.45


def test_a_block_is_smaller_than_the_grid_on_both_sides():
    assert not block_masks(draws_of(20), crops=2, grid=(1, 40), probability=1.0).any()
