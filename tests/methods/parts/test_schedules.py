import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import HYPER, spec

from featbank.methods.method import Length
from featbank.methods.parts.schedules import (
    half_cosine,
    numbers_at,
    scaled_lr,
    schedules,
    warmed_up_cosine,
)


def slow_warmed_up(peak, end, steps, warmup, step):
    """facebookresearch/mae's rule, one step at a time."""
    if step < warmup:
        return peak * step / warmup
    share = (step - warmup) / (steps - warmup)
    return end + (peak - end) * 0.5 * (1.0 + math.cos(math.pi * share))


@given(
    peak=st.floats(1e-5, 1.0), steps=st.integers(2, 60), warmup=st.integers(0, 80), data=st.data()
)
def test_a_warmed_up_cosine_is_the_published_rule(peak, steps, warmup, data):
    values = warmed_up_cosine(peak, 1e-6, steps=steps, warmup_steps=warmup)
    step = data.draw(st.integers(0, steps - 1))
    assert values.shape == (steps,)
    assert values[step] == pytest.approx(slow_warmed_up(peak, 1e-6, steps, warmup, step), rel=1e-12)


def test_a_half_cosine_is_half_way_at_half_time():
    values = half_cosine(0.04, 0.4, 100)
    assert values[0] == pytest.approx(0.04)
    assert values[50] == pytest.approx(0.22)
    assert np.all(np.diff(values) > 0)


@pytest.mark.parametrize(("rule", "factor"), [("linear", 4.0), ("sqrt", 2.0)])
def test_the_learning_rate_follows_the_batch(rule, factor):
    hyper = {"lr": 0.3, "lr_batch": 256, "lr_rule": rule}
    assert scaled_lr(hyper, 1024) == pytest.approx(0.3 * factor)


def test_numbers_of_a_step_are_those_of_all_schedules():
    length = Length(steps=20, steps_per_epoch=4, batch_size=16)
    found = numbers_at(schedules(spec(), HYPER, length), 2)
    assert found.keys() == {"lr", "weight_decay", "momentum"}
    # The warm-up takes half an epoch, two steps; the batch is twice that of the rate.
    assert found["lr"] == pytest.approx(2 * HYPER["lr"])
    assert found["momentum"] == pytest.approx(0.9 + 0.1 * 2 / 19)
