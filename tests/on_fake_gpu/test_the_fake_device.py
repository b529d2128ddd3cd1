"""The fake device refuses what CUDA refuses, computes what the CPU computes, and counts."""

import pytest
import torch
from fake_gpu.tracing import traced
from torch import nn


def test_what_is_made_there_is_there():
    made = [torch.zeros(3, device="cuda"), torch.randn(3).to("cuda"), torch.arange(4).cuda()]
    assert {tensor.device.type for tensor in made} == {"cuda"}


def test_a_range_has_its_length():
    made = [torch.arange(*said, device="cuda") for said in ((3,), (2, 5), (2, 9, 3))]
    assert [values.shape for values in made] == [(3,)] * 3


def test_values_come_back():
    values = torch.randn(4, 5)
    assert torch.equal((values.to("cuda") * 2).cpu(), values * 2)


def test_operands_on_two_devices_are_refused():
    with pytest.raises(RuntimeError, match="same device"):
        torch.ones(3) + torch.ones(3, device="cuda")


def test_a_number_from_the_host_is_no_operand_on_another_device():
    assert (torch.tensor(2.0) * torch.ones(3, device="cuda")).device.type == "cuda"


def test_a_generator_of_another_device_is_refused():
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, device="cuda", generator=torch.Generator())


def test_a_network_trains_there_as_on_the_cpu():
    def losses(device):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
        x, y = torch.randn(4, 5).to(device), torch.tensor([0, 1, 2, 0]).to(device)
        net = net.to(device)
        optimiser = torch.optim.AdamW(net.parameters(), lr=0.1)
        found = []
        for _ in range(3):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimiser.step()
            found.append(loss.detach().cpu().item())
        return found

    assert losses("cuda") == pytest.approx(losses("cpu"), rel=1e-5)


def test_autocast_computes_in_half_precision():
    with torch.autocast("cuda", dtype=torch.bfloat16):
        out = nn.Linear(3, 2).to("cuda")(torch.ones(1, 3, device="cuda"))
    assert (out.dtype, out.device.type) == (torch.bfloat16, "cuda")


def test_a_pageable_copy_blocks():
    with traced() as trace:
        torch.ones(4).to("cuda", non_blocking=True)
    assert [copy.blocks for copy in trace.copies_in] == [True]


def test_a_pinned_copy_blocks_only_where_nobody_asked_for_else():
    pinned = torch.ones(4).pin_memory()
    with traced() as trace:
        pinned.to("cuda", non_blocking=True)
        pinned.to("cuda")
    assert [copy.blocks for copy in trace.copies_in] == [False, True]


@pytest.mark.parametrize(
    "work",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).any()),
        lambda x: x[x > 0],
        lambda x: (x > 0).nonzero(),
        lambda x: torch.cuda.synchronize(),
        lambda x: torch.linalg.eigvalsh(x[:, None] * x),
    ],
)
def test_what_makes_the_host_wait_is_counted(work):
    x = torch.randn(5).to("cuda")
    with traced() as trace:
        work(x)
    assert len(trace.waits) == 1


def test_kernels_are_counted_and_views_are_none():
    x = torch.ones(2, 3).to("cuda")
    with traced() as trace:
        (x.T + 1).T.view(-1)
    assert trace.n_kernels == 1


def test_an_event_is_waited_for_once_it_is_recorded():
    event, kernels = torch.cuda.Event(), torch.cuda.current_stream()
    with traced() as trace:
        event.synchronize()
        kernels.wait_event(event)
        event.record(torch.cuda.Stream(name="copies"))
        event.synchronize()
        kernels.wait_event(event)
    assert (trace.waits, trace.orders) == (["Event.synchronize"], [("default", "copies")])
