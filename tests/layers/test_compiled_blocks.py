"""Compiled blocks give what the blocks give, for any number of chips; and fail in a sentence."""

import numpy as np
import pytest
import torch
from torch import nn
from tracing_compiler import compiled_by, tracing_compiler

from featbank.backbones import BACKBONES
from featbank.layers.compiled_blocks import MOST_SHAPES, CompiledBlocks, allow_recompiling
from featbank.layers.drop_path import set_drop_path
from featbank.layers.missing import Missing, nothing_missing
from featbank.layers.passes import Passes, encode

CONFIG = {**BACKBONES["vit-tiny"].config, "depth": 3}
LAYERS = (0, 2)


def network(config=CONFIG):
    spec = BACKBONES["vit-tiny"]
    return spec.build(config, spec.initial(config, 0))


def running(encoder):
    def run(x, missing):
        with torch.inference_mode():
            return encode(encoder, x, LAYERS, True, missing)

    return run


def chips(n, channels=3, seed=0):
    return torch.randn(n, channels, 32, 32, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def seen():
    with tracing_compiler() as shapes:
        yield shapes


def test_smaller_batches_are_filled_up_and_give_their_own_rows(seen):
    encoder, compiled = network(), CompiledBlocks(pytest.fail)
    expected = [running(encoder)(chips(n), None) for n in (4, 3, 1)]
    compiled.add(encoder)
    for told in expected:
        found = compiled(running(encoder), chips(len(told["mean"])), None, 4)
        for name, values in told.items():
            torch.testing.assert_close(found[name], values)


def test_all_blocks_and_batches_share_one_compilation(seen):
    encoder, compiled = network(), CompiledBlocks(pytest.fail)
    compiled.add(encoder)
    for n in (4, 3, 1):
        compiled(running(encoder), chips(n), None, 4)
    assert {shape[0] for shape in seen} == {4}
    assert len(seen) == 1


def test_what_is_missing_of_the_chips_is_filled_up_as_well(seen):
    encoder, compiled, x = network(), CompiledBlocks(pytest.fail), chips(3)
    missing = nothing_missing(x)
    missing = Missing(missing.pixels.index_fill(2, torch.arange(16), 1.0), missing.channels)
    expected = running(encoder)(x, missing)
    compiled.add(encoder)
    found = compiled(running(encoder), x, missing, 4)
    torch.testing.assert_close(found["mean"], expected["mean"])
    assert not torch.equal(found["mean"], running(encoder)(x, None)["mean"])


def test_several_passes_are_compiled_each(seen):
    one = {**CONFIG, "channels": 1}
    encoder = Passes([network(one), network(one)], [[0], [1]]).eval()
    x, compiled = chips(2, channels=2), CompiledBlocks(pytest.fail)
    expected = running(encoder)(x, None)
    compiled.add(encoder)
    found = compiled(running(encoder), x, None, 2)
    torch.testing.assert_close(found["mean"], expected["mean"])
    assert seen


def test_blocks_run_as_they_are_again_once_that_is_asked_for(seen):
    encoder, compiled = network(), CompiledBlocks(pytest.fail)
    compiled.add(encoder)
    compiled.remove()
    running(encoder)(chips(2), None)
    assert (compiled.is_on, seen) == (False, [])


# torch's compiler imports parts of torch that it has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_s_own_compiler_gives_the_features():
    torch.compiler.reset()
    encoder, x, compiled = network(), chips(3), CompiledBlocks(pytest.fail)
    expected = running(encoder)(x, None)
    compiled.add(encoder)
    found = compiled(running(encoder), x, None, 4)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5)


@pytest.fixture
def failing():
    def broken(graph, inputs):
        raise ValueError("no compiler\nand many more lines")

    with compiled_by(broken):
        yield


def test_what_does_not_compile_runs_as_it_is_and_is_told_once(failing):
    encoder, x, told = network(), chips(3), []
    compiled, expected = CompiledBlocks(told.append), running(encoder)(chips(3), None)
    compiled.add(encoder)
    for _ in range(2):
        found = compiled(running(encoder), x, None, 4)
        assert all(torch.equal(found[name], values) for name, values in expected.items())
    assert not compiled.is_on
    assert told == [
        "the network's blocks run as they are: torch does not compile them (no compiler)"
    ]


def test_many_networks_of_one_process_are_compiled(seen, monkeypatch):
    from torch._dynamo import config

    monkeypatch.setattr(config, "recompile_limit", 8)
    CompiledBlocks(pytest.fail).add(network())
    assert config.recompile_limit >= 64


def test_chips_of_many_sizes_run_as_they_are_and_that_is_told(seen):
    encoder, told = network(), []
    compiled = CompiledBlocks(told.append)
    compiled.add(encoder)
    for side in range(2, 4 + MOST_SHAPES):
        x = torch.randn(2, 3, 16 * side, 16)
        expected = running(encoder)(x, None)["mean"] if not compiled.is_on else None
        found = compiled(running(encoder), x, None, 2)["mean"]
        assert expected is None or torch.equal(found, expected)
    why = f"chips have more than {MOST_SHAPES} sizes, each compiled by itself"
    assert told == [f"the network's blocks run as they are: {why}"]
    assert len(seen) == MOST_SHAPES


@pytest.mark.filterwarnings("ignore")
def test_blocks_whose_rates_of_drop_path_differ_are_all_compiled():
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    counters.clear()
    encoder = network({**CONFIG, "depth": 10})
    set_drop_path(encoder, 0.1, is_uniform=False)
    allow_recompiling()
    for block in encoder.train().blocks:
        block.compile(backend="aot_eager")
    encoder.encode(chips(4))
    assert counters["stats"]["unique_graphs"] == 10


def test_where_there_is_no_compiler_at_all_blocks_run_as_they_are(monkeypatch):
    def absent(self, **told):
        raise RuntimeError("Dynamo is not supported on this Python")

    monkeypatch.setattr(nn.Module, "compile", absent)
    encoder, told = network(), []
    compiled = CompiledBlocks(told.append)
    compiled.add(encoder)
    assert len(compiled(running(encoder), chips(2), None, 4)["mean"]) == 2
    assert len(told) == 1


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("out"), RuntimeError("CUBLAS_STATUS_ALLOC_FAILED")]
)
def test_a_device_that_runs_out_of_memory_is_no_failure_of_the_compiler(error, seen):
    encoder, compiled = network(), CompiledBlocks(pytest.fail)
    compiled.add(encoder)

    def full(x, missing):
        raise error

    with pytest.raises(type(error)):
        compiled(full, chips(2), None, 4)
    assert compiled.is_on


def test_a_network_without_blocks_is_left_as_it_is():
    compiled = CompiledBlocks(pytest.fail)
    compiled.add(nn.Linear(3, 3))
    assert not compiled.is_on
