import math
import random

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from featbank.methods.views.boxes import TRIES, crop_boxes, middle_box

SCALE, RATIO = (0.05, 0.4), (0.5, 3.0)


def numbers_of(chips, seed=0):
    return torch.rand(chips, TRIES, 4, generator=torch.Generator().manual_seed(seed))


def slow_box(height, width, scale, ratio, numbers):
    """One box, one proposal after another."""
    for _ in range(10):
        area = height * width * numbers.uniform(*scale)
        aspect = math.exp(numbers.uniform(math.log(ratio[0]), math.log(ratio[1])))
        wide, tall = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < wide <= width and 0 < tall <= height:
            top, left = numbers.randint(0, height - tall), numbers.randint(0, width - wide)
            return top, left, tall, wide
    return middle_box((height, width), ratio)


@pytest.mark.parametrize("size", [(40, 60), (60, 25)])
@pytest.mark.parametrize("scale", [SCALE, (0.4, 1.0)])
def test_boxes_are_spread_like_those_of_a_slow_loop(size, scale):
    numbers = random.Random(1)
    slow = torch.tensor([slow_box(*size, scale, RATIO, numbers) for _ in range(20000)]).double()
    ours = crop_boxes(numbers_of(20000), size, scale=scale, ratio=RATIO).double()
    spread = slow.std(dim=0)
    # Five standard errors of a difference of two means.
    assert ((ours.mean(dim=0) - slow.mean(dim=0)).abs() < 5 * spread * 0.01).all()
    torch.testing.assert_close(ours.std(dim=0), spread, rtol=0.03, atol=0)
    product = (ours[:, 2] * ours[:, 3]).mean(), (slow[:, 2] * slow[:, 3]).mean()
    assert product[0] == pytest.approx(product[1].item(), rel=0.02)


@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    low=st.floats(0.01, 1.0),
    narrow=st.floats(0.2, 1.0),
)
def test_boxes_lie_in_the_chip(height, width, low, narrow):
    boxes = crop_boxes(
        numbers_of(50), (height, width), scale=(low, 1.0), ratio=(narrow, 1 / narrow)
    )
    top, left, tall, wide = boxes.T
    assert (tall >= 1).all()
    assert (wide >= 1).all()
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + tall <= height).all()
    assert (left + wide <= width).all()


@pytest.mark.parametrize(
    ("size", "box"), [((10, 90), [0, 38, 10, 13]), ((90, 10), [38, 0, 13, 10])]
)
def test_where_no_proposal_fits_the_box_is_the_largest_in_the_middle(size, box):
    boxes = crop_boxes(numbers_of(3), size, scale=(1.0, 1.0), ratio=(3 / 4, 4 / 3))
    assert boxes.tolist() == [box] * 3


def test_the_largest_box_of_a_chip_of_allowed_aspect_is_the_chip():
    assert middle_box((9, 10), (3 / 4, 4 / 3)) == (0, 0, 9, 10)


def test_a_large_random_number_stays_inside():
    numbers = torch.full((1, TRIES, 4), 1 - 2**-24)
    assert crop_boxes(numbers, (50, 70), scale=(0.1, 0.1), ratio=(1.0, 1.0)).tolist() == [
        [50 - 19, 70 - 19, 19, 19]
    ]
