"""Tensors of several dtypes cross the bus in one copy that nobody waits for."""

from typing import NamedTuple

import torch
from fake_gpu.tracing import traced

from featbank.methods.parts.bundle import Bundle

CUDA = torch.device("cuda")


class Pair(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor | None


def tree():
    pair = Pair(torch.tensor([True, False, True]), None)
    numbers = torch.arange(10).reshape(2, 5)
    # Of a stride of its own, empty, and a single number.
    return {"a": (pair, numbers.T), "b": torch.empty(0, 3), "c": (torch.tensor(2.5), numbers[:, 1])}


def test_everything_arrives_as_it_was():
    given, found = tree(), Bundle(tree(), CUDA).moved()
    assert isinstance(found["a"][0], Pair)
    assert found["a"][0].second is None
    pairs = [
        (given["a"][0].first, found["a"][0].first),
        (given["a"][1], found["a"][1]),
        (given["b"], found["b"]),
        *zip(given["c"], found["c"], strict=True),
    ]
    for one, other in pairs:
        assert (other.device.type, other.dtype, other.shape) == ("cuda", one.dtype, one.shape)
        assert torch.equal(other.cpu(), one)


def test_one_copy_takes_everything_and_is_not_waited_for():
    bundle = Bundle(tree(), CUDA)
    with traced() as trace:
        bundle.moved()
    assert [copy.blocks for copy in trace.copies_in] == [False]
    assert trace.waits == []


def test_nothing_is_copied_where_nothing_is_in_it():
    with traced() as trace:
        assert Bundle({}, CUDA).moved() == {}
    assert trace.copies_in == []


def test_on_the_cpu_it_stays_where_it_is():
    given = tree()
    assert Bundle(given, torch.device("cpu")).moved() is given
