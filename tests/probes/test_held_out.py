"""Samples that a fit holds out to watch itself."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from featbank.probes.fitting.held_out import held_out


def draw(codes, share=0.25, seed=0):
    generator = torch.Generator().manual_seed(seed)
    kept, out = held_out(np.asarray(codes), share=share, generator=generator)
    return kept.tolist(), out.tolist()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_samples_are_parted_and_every_class_stays(codes, share):
    kept, out = draw(codes, share)
    assert sorted(kept + out) == list(range(len(codes)))
    assert {codes[i] for i in kept} == set(codes)


def test_the_share_holds_in_each_class():
    codes = np.repeat([0, 1], [40, 8])
    _, out = draw(codes)
    assert np.bincount(codes[out]).tolist() == [10, 2]


def test_the_share_holds_of_several_labels():
    assert len(draw(np.zeros((80, 3), np.int8))[1]) == 20


def test_a_class_of_one_sample_stays():
    assert 0 in draw([1] + [0] * 50, share=0.9)[0]


def test_another_seed_holds_out_other_samples():
    codes = np.zeros(50, int)
    assert draw(codes, seed=0) != draw(codes, seed=1)
