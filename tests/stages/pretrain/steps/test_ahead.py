import itertools
import threading

import pytest
import torch

from featbank.stages.pretrain.steps.ahead import Ahead

CPU = torch.device("cpu")


def failing_after(count):
    yield from range(count)
    raise OSError("the disk is gone")


def test_items_come_in_order():
    assert list(Ahead(iter(range(20)), CPU)) == list(range(20))


def test_an_error_comes_in_the_place_of_its_item():
    given = iter(Ahead(failing_after(3), CPU))
    assert [next(given) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(given)


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def items():
        yield 0
        made.set()
        yield 1

    ahead = Ahead(items(), CPU)
    assert next(iter(ahead)) == 0
    assert made.wait(5)
    ahead.close()


def test_no_more_than_two_are_made_ahead():
    counted = itertools.count()
    ahead = Ahead((next(counted) for _ in range(50)), CPU)
    next(iter(ahead))
    ahead.close()
    assert next(counted) <= 3


def test_a_closed_one_leaves_no_thread():
    ahead = Ahead(itertools.count(), CPU)
    ahead.close()
    ahead.close()
    assert "featbank-ahead" not in [thread.name for thread in threading.enumerate()]
