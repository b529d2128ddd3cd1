"""Batches, steps and rates of the probes that descend."""

import pytest
import torch

from featbank.probes.fitting.sgd import batches, cosine, few_threads, random_stream, step_count


def draw(n, **options):
    options = {"batch_size": 4, "steps": 6, "generator": torch.Generator().manual_seed(0)} | options
    return [rows.tolist() for rows in batches(n, **options)]


def test_a_pass_sees_no_sample_twice():
    first = [row for rows in draw(12)[:3] for row in rows]
    assert sorted(first) == list(range(12))


def test_the_next_pass_has_another_order():
    drawn = draw(12)
    assert drawn[:3] != drawn[3:]


def test_what_does_not_fill_a_batch_waits_for_the_next_pass():
    assert [len(rows) for rows in draw(11)] == [4] * 6


def test_a_set_smaller_than_a_batch_is_one_batch():
    assert all(sorted(rows) == [0, 1, 2] for rows in draw(3))


@pytest.mark.parametrize("n", [3, 4, 11])
def test_batches_across_passes_are_whole_and_leave_nothing_out(n):
    drawn = draw(n, steps=n, across_passes=True)
    assert [len(rows) for rows in drawn] == [4] * n
    stream = [row for rows in drawn for row in rows]
    passes = [stream[i : i + n] for i in range(0, len(stream), n)]
    assert all(sorted(one) == list(range(n)) for one in passes)


@pytest.mark.parametrize(("n", "steps"), [(1000, 100), (1001, 110), (10, 30)])
def test_steps_are_whole_passes_but_never_too_few(n, steps):
    assert step_count(n, batch_size=100, epochs=10, min_steps=30) == steps


def test_the_rate_falls_from_one_to_nothing():
    rates = [cosine(step, 10) for step in range(11)]
    assert rates[0] == 1
    assert rates[10] == pytest.approx(0)
    assert rates == sorted(rates, reverse=True)


def test_streams_of_a_seed_are_repeatable_and_differ():
    names = ("weights", "order", "dropout", "validation")
    first, again = (
        [
            torch.rand(3, generator=random_stream(seed, name)).tolist()
            for seed in (0, 1)
            for name in names
        ]
        for _ in range(2)
    )
    assert first == again
    assert len({tuple(drawn) for drawn in first}) == 8


@pytest.mark.parametrize(("products", "expected"), [(1000, 1), (10**9, 2)])
def test_small_steps_take_one_thread(products, expected):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with few_threads(products):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
