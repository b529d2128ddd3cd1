"""A graph on the fake device records, runs nothing while it does, and replays what it recorded."""

import pytest
import torch
from fake_gpu import cuda
from fake_gpu.tracing import traced


def captured(work, *generators):
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph):
        work()
    return graph


@pytest.fixture
def x():
    return torch.ones(4, device="cuda")


def test_a_capture_runs_nothing(x):
    captured(lambda: x.mul_(2).add_(1))
    assert x.cpu().tolist() == [1] * 4


def test_each_replay_updates_in_place(x):
    graph = captured(lambda: x.mul_(2).add_(1))
    graph.replay()
    graph.replay()
    assert x.cpu().tolist() == [7] * 4


def test_results_of_a_capture_are_written_by_each_replay(x):
    found = []
    graph = captured(lambda: found.append((x * 2)[1:] + torch.arange(3, device="cuda")))
    x.fill_(5)
    graph.replay()
    assert found[0].cpu().tolist() == [10, 11, 12]


def test_a_replay_reads_what_the_tensors_hold_by_then(x):
    total = torch.zeros((), device="cuda")
    graph = captured(lambda: total.add_(x.sum()))
    x.copy_(torch.arange(4, device="cuda"))
    graph.replay()
    assert total.cpu() == 6


def test_a_tensor_put_in_the_place_of_another_is_not_seen():
    held = {"x": torch.ones(4, device="cuda")}
    total = torch.zeros((), device="cuda")
    graph = captured(lambda: total.add_(held["x"].sum()))
    held["x"] = torch.zeros(4, device="cuda")
    graph.replay()
    assert total.cpu() == 4


def test_a_number_of_the_host_stays_as_it_was(x):
    rate = [2.0]
    graph = captured(lambda: x.mul_(rate[0]))
    rate[0] = 3.0
    graph.replay()
    assert x.cpu().tolist() == [2] * 4


def test_several_tensors_and_an_out_are_restored_and_replayed(x):
    other, out = torch.ones(2, device="cuda"), torch.zeros(4, device="cuda")

    def work():
        torch._foreach_add_([x, other], 1)
        torch.mul(x, 3, out=out)

    graph = captured(work)
    assert (x.cpu().sum(), other.cpu().sum(), out.cpu().sum()) == (4, 2, 0)
    graph.replay()
    assert (x.cpu().sum(), other.cpu().sum(), out.cpu().sum()) == (8, 4, 24)


def drawn(generator, times):
    return [torch.rand(3, device="cuda", generator=generator).cpu() for _ in range(times)]


def test_a_registered_generator_goes_on_as_if_nothing_were_captured():
    generator, same = (torch.Generator(device="cuda").manual_seed(1) for _ in range(2))
    held = torch.zeros(3, device="cuda")
    drawn(generator, 1)
    graph = captured(lambda: held.uniform_(generator=generator), generator)
    found = []
    for _ in range(2):
        graph.replay()
        found.append(held.cpu())
    assert torch.equal(torch.stack(found + drawn(generator, 1)), torch.stack(drawn(same, 4)[1:]))


def test_a_generator_that_is_not_registered_is_refused():
    generator = torch.Generator(device="cuda")
    with pytest.raises(RuntimeError, match="generator not in capture mode"):
        captured(lambda: torch.rand(3, device="cuda", generator=generator))


FORBIDDEN = {
    "a number": lambda x: x.sum().item(),
    "a truth": lambda x: bool((x > 0).any()),
    "a mask": lambda x: x[x > 0],
    "to the host": lambda x: x.cpu(),
    "to the host, not waiting": lambda x: x.to("cpu", non_blocking=True),
    "from pageable memory": lambda x: x.copy_(torch.zeros(4), non_blocking=True),
    "a copy that blocks": lambda x: x.copy_(torch.zeros(4).pin_memory()),
    "made of numbers": lambda x: torch.tensor([1.0], device="cuda"),
    "waiting for all": lambda x: torch.cuda.synchronize(),
    "waiting for a stream": lambda x: torch.cuda.current_stream().synchronize(),
    "another capture": lambda x: captured(lambda: None),
    "a replay": lambda x: torch.cuda.CUDAGraph().replay(),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_a_capture_forbids_raises_and_spoils_it(name, x):
    def work():
        x.add_(1)
        with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
            FORBIDDEN[name](x)

    with pytest.raises(RuntimeError, match="previous error during capture"):
        captured(work)
    assert x.cpu().tolist() == [1] * 4


def test_a_pinned_copy_is_recorded(x):
    pinned = torch.zeros(4).pin_memory()
    graph = captured(lambda: x.copy_(pinned, non_blocking=True))
    pinned.fill_(9)
    graph.replay()
    assert x.cpu().tolist() == [9] * 4


def test_a_capture_that_fails_leaves_its_stream_and_its_generators():
    generator, graph = torch.Generator(device="cuda"), torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    try:
        with pytest.raises(RuntimeError, match="previous error"), torch.cuda.graph(graph):
            torch.cuda.synchronize()
        assert torch.cuda.current_stream() is not cuda.DEFAULT
    finally:
        torch.cuda.stream(cuda.DEFAULT).__enter__()
    with pytest.raises(RuntimeError, match="outside graph capture"):
        drawn(generator, 1)
    generator.graphsafe_set_state(generator.clone_state())
    assert len(drawn(generator, 1)) == 1


def test_the_default_stream_cannot_be_captured():
    with pytest.raises(RuntimeError, match="non-default stream"):
        torch.cuda.CUDAGraph().capture_begin()


def test_what_was_not_captured_cannot_be_replayed():
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        torch.cuda.CUDAGraph().replay()


def test_an_optimizer_that_is_not_capturable_is_refused():
    weights = torch.ones(3, device="cuda", requires_grad=True)
    weights.grad = torch.ones(3, device="cuda")
    optimizer = torch.optim.AdamW([weights], fused=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="capturable is False"):
        captured(optimizer.step)


def test_a_replay_is_one_launch_and_two_for_each_generator_that_draws(x):
    generators = [torch.Generator(device="cuda") for _ in range(3)]

    def work():
        for generator in generators[:2]:
            x.uniform_(generator=generator).mul_(2).add_(1)

    with traced() as capture:
        graph = captured(work, *generators)
    with traced() as replay:
        graph.replay()
    assert (capture.n_kernels, graph.n_operations, replay.n_kernels) == (0, 6, 1 + 2 * 2)
