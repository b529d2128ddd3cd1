"""float32 is float32 inside a block that asks for it; what is not there has its line."""

import os
import re
import subprocess
import sys
from contextlib import suppress

import pytest
import torch
from torch import backends

from featbank.device import (
    full_float32,
    page_locked,
    pick_device,
    require_device,
    use_deterministic,
)
from featbank.errors import UsageError

HAS_BOTH = hasattr(backends.cudnn, "conv")
PLACES = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul) if HAS_BOTH else ()


def told():
    return [place.fp32_precision for place in PLACES]


@pytest.mark.skipif(not HAS_BOTH, reason="this torch has one flag for all")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_float32_is_float32_in_the_block_alone(device):
    before = told()
    assert before[0] == "tf32"
    with suppress(ZeroDivisionError), full_float32(device):
        assert told() == ["ieee"] * 3
        raise ZeroDivisionError
    assert told() == before
    # The older way to ask works as before: a mix of both raises.
    assert backends.cudnn.allow_tf32
    assert not backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("setting", ["old flag", "products"])
def test_what_somebody_set_before_is_undone_and_set_again(setting):
    script = "import torch; from featbank.device import full_float32; b = torch.backends\n"
    ask = {
        "old flag": ("b.cudnn.allow_tf32 = False", "b.cudnn.allow_tf32"),
        "products": ("torch.set_float32_matmul_precision('high')", "b.cuda.matmul.allow_tf32"),
    }[setting]
    script += f"{ask[0]}; before = {ask[1]}\nwith full_float32('cpu'): pass\n"
    script += f"assert {ask[1]} == before == {setting == 'products'}"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_an_environment_that_allows_tf32_in_products_is_undone():
    script = "import torch; from featbank.device import full_float32; b = torch.backends\n"
    script += "assert torch.get_float32_matmul_precision() == 'high'\n"
    script += "with full_float32('cuda'): assert b.cuda.matmul.fp32_precision == 'ieee'\n"
    more = {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"}
    subprocess.run([sys.executable, "-c", script], check=True, env=more)


def test_older_versions_of_torch_are_told_by_their_flags(monkeypatch):
    class Flags:
        allow_tf32 = True

    monkeypatch.setattr(torch.backends, "cudnn", Flags())
    monkeypatch.setattr(torch.backends.cuda, "matmul", Flags())
    with full_float32("cuda"):
        assert not backends.cudnn.allow_tf32
        assert not backends.cuda.matmul.allow_tf32
    assert backends.cudnn.allow_tf32
    assert backends.cuda.matmul.allow_tf32


def test_libraries_that_round_whatever_they_are_told_are_refused(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    with pytest.raises(UsageError, match="NVIDIA_TF32_OVERRIDE=1: .* Unset it"):
        full_float32("cuda").__enter__()
    with full_float32("cpu"):
        pass
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    with full_float32("cuda"):
        pass


def test_a_torch_that_knows_no_cuda_is_named(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.version.cuda", None)
    with pytest.raises(
        UsageError, match=f"torch {re.escape(torch.__version__)} is built without CUDA; "
    ):
        pick_device("cuda")


def test_a_device_that_is_not_there_has_its_line(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.version.cuda", "12.8")
    for ask in (pick_device, require_device):
        with pytest.raises(UsageError, match="no CUDA device that torch can use"):
            ask("cuda")
        with pytest.raises(UsageError, match="is no device that featbank knows"):
            ask("cuda:1")


class Runtime:
    """As much of the CUDA runtime as locks memory."""

    def __init__(self, code):
        self.code, self.locked = code, {}

    def cudaHostRegister(self, address, size, flags):
        if not self.code:
            self.locked[address] = size
        return self.code

    def cudaHostUnregister(self, address):
        del self.locked[address]
        return 0


@pytest.mark.parametrize("code", [0, 2])
def test_memory_is_locked_until_that_is_undone_or_not_at_all(code, monkeypatch):
    import mmap

    runtime = Runtime(code)
    monkeypatch.setattr("torch.cuda.cudart", lambda: runtime)
    monkeypatch.setattr("torch.cuda.synchronize", lambda: None)
    monkeypatch.setattr("torch.zeros", lambda *_, **__: None)
    undo = page_locked(mmap.mmap(-1, 8192))
    assert list(runtime.locked.values()) == ([] if code else [8192])
    undo()
    assert not runtime.locked


@pytest.fixture
def restored(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    yield
    torch.use_deterministic_algorithms(False)


def test_deterministic_algorithms_come_with_what_cublas_needs_for_them(restored):
    use_deterministic(is_asked=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_what_a_user_says_of_cublas_stays(restored, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    use_deterministic(is_asked=True)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_any_algorithms_are_taken_again_where_nobody_asks(restored):
    use_deterministic(is_asked=True)
    use_deterministic(is_asked=False)
    assert not torch.are_deterministic_algorithms_enabled()


def test_memory_is_unlocked_after_an_error_of_the_device_too(monkeypatch):
    import mmap

    def broken():
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    runtime = Runtime(0)
    monkeypatch.setattr("torch.cuda.cudart", lambda: runtime)
    monkeypatch.setattr("torch.cuda.synchronize", broken)
    memory = mmap.mmap(-1, mmap.PAGESIZE)
    page_locked(memory)()
    assert runtime.locked == {}
