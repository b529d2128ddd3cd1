import pytest
import torch

from featbank.methods.parts.draws import Draws


def draws_of(rows, total=6):
    return Draws(seed=3, step=7, total=total, rows=rows)


def test_rows_have_the_numbers_that_they_have_in_the_whole():
    whole, part = draws_of(range(6)), draws_of(range(2, 5))
    for _ in range(2):
        assert torch.equal(part.uniform(4), whole.uniform(4)[2:5])
        assert torch.equal(part.normal(3, 2), whole.normal(3, 2)[2:5])
        assert torch.equal(part.whole(2), whole.whole(2))


def test_numbers_shared_among_parts_are_those_of_parts_alone():
    shared = draws_of(range(6))
    for rows in (range(4), range(4, 6), range(1, 3)):
        part, alone = shared.among(rows), draws_of(rows)
        assert len(part) == len(rows)
        assert torch.equal(part.uniform(5), alone.uniform(5))
        assert torch.equal(part.normal(2), alone.normal(2))


def test_parts_that_ask_for_other_numbers_are_refused():
    shared = draws_of(range(6))
    shared.among(range(3)).uniform(5)
    with pytest.raises(ValueError, match="another part"):
        shared.among(range(3, 6)).uniform(4)
