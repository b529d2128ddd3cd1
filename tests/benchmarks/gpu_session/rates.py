"""How fast: the bare network by batch, eager and compiled, and end to end from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.profiler import ProfilerActivity, profile

from featbank.backbones import BACKBONES
from featbank.bands import Band
from featbank.bank import runlog
from featbank.layers.compiled_blocks import CompiledBlocks
from featbank.layers.half_weights import hold_half
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from tests.benchmarks.gpu_session.clock import seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from tests.benchmarks.gpu_session.session import Session

# Share of the bare network's rate that the whole pipeline keeps.
LEAST_RATIO = 0.9
BATCHES = (64, 256, 512)
# Kernels by words of their names; what has none of them is "other".
KINDS = {
    "attention": ("attention", "flash", "fmha", "softmax"),
    "matrix": ("gemm", "cutlass", "matmul", "mm", "wgmma", "conv", "xmma"),
    "copy": ("copy", "memcpy", "memset", "cat"),
    "pointwise": ("elementwise", "norm", "gelu", "add", "mul", "triton"),
}


def network(name: str, device: str, channels: int) -> nn.Module:
    """A network of the catalog with random weights."""
    spec = BACKBONES[name]
    bands = [Band(name=f"b{i}", wavelength_um=0.5 + i / 20) for i in range(channels)]
    config = spec.bind(spec.config, bands) if spec.bind else {**spec.config, "channels": channels}
    if spec.initial is None:
        raise ValueError(f"{name} has no first weights")
    built: Any = spec.build(config, spec.initial(config, 0))
    module: nn.Module = built.to(device)
    return module


def bare(session: Session) -> None:
    """Chips a second of the network alone, and microseconds a chip by kind of kernel."""
    names = ("vit-tiny",) if session.is_tiny else ("vit-small", "dofa")
    for name in names:
        module, px = network(name, session.device, 3), session.sized(32, 224)
        hold_half(module)
        for batch in (2,) if session.is_tiny else BATCHES:
            x = torch.randn(batch, 3, px, px, device=session.device)
            for kind in ("eager", "compiled"):
                _rate(session, name, module, x, kind)
        _by_kind(session, name, module, x)


def _forward(module: Any, x: torch.Tensor, device: str) -> Callable[[], object]:
    """One pass of a network, as ``embed`` has it: the last block's features under autocast."""
    last = (len(getattr(module, "blocks", ())) or 1) - 1

    def forward() -> object:
        with torch.inference_mode(), torch.autocast(device, dtype=torch.bfloat16):
            return module(x, layers=[last])

    return forward


def _rate(session: Session, name: str, module: nn.Module, x: torch.Tensor, kind: str) -> None:
    forward = _forward(module, x, session.device)
    more, blocks = {}, CompiledBlocks(lambda line: session.figure(f"bare {name}: {line}"))
    if kind == "compiled":
        blocks.add(module)
        more = {"first_s": seconds(forward, session.device, repeats=1, warm=0)}
    took = seconds(forward, session.device, repeats=session.sized(1, 20), warm=3)
    blocks.remove()
    session.figure(f"bare {name}, {kind}, batch {len(x)}", chips_per_s=len(x) / took, **more)


def _by_kind(session: Session, name: str, module: nn.Module, x: torch.Tensor) -> None:
    forward = _forward(module, x, session.device)
    wanted = [ProfilerActivity.CPU] if session.is_tiny else [ProfilerActivity.CUDA]
    with profile(activities=wanted) as found:
        forward()
        if session.device == "cuda":
            torch.cuda.synchronize()
    spent = dict.fromkeys([*KINDS, "other"], 0.0)
    kernels = 0
    for event in found.key_averages():
        of = "self_cpu_time_total" if session.is_tiny else "self_device_time_total"
        spent[_kind(event.key)] += getattr(event, of) / len(x)
        kernels += event.count
    session.figure(f"{name}: microseconds a chip by kernel", kernels=kernels, **spent)


def _kind(kernel: str) -> str:
    text = kernel.lower()
    return next((kind for kind, words in KINDS.items() if any(w in text for w in words)), "other")


def imagery(folder: Path, chips: int, side: int = 120) -> Path:
    """JPEG chips of smooth noise in four classes."""
    rng = np.random.default_rng(0)
    for number in range(chips):
        place = folder / f"c{number % 4}"
        place.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(place / f"{number}.jpg")
    return folder


def end_to_end(session: Session) -> None:
    """From JPEG files to a store, as it is and compiled, against the bare network just before."""
    chips = session.sized(32, 16_384)
    files = imagery(session.folder / "jpeg", chips, session.sized(32, 120))
    names = ("vit-tiny",) if session.is_tiny else ("vit-small", "dofa")
    for name in names:
        module = network(name, session.device, 3)
        hold_half(module)
        px, batch = session.sized(32, 224), session.sized(8, 256)
        x = torch.randn(batch, 3, px, px, device=session.device)
        forward = _forward(module, x, session.device)
        alone = batch / seconds(forward, session.device, repeats=session.sized(1, 20), warm=3)
        for kind in ("eager", "compiled"):
            rate, waited_s = _embedded(session, name, files, kind)
            ratio = rate / alone
            session.check(
                f"end to end, {name}, {kind}", session.is_tiny or ratio >= LEAST_RATIO,
                chips_per_s=rate, bare=alone, ratio=ratio, asked=LEAST_RATIO,
                waited_input_s=waited_s,
            )  # fmt: skip


def _embedded(session: Session, name: str, files: Path, kind: str) -> tuple[float, float]:
    """Chips a second after the first shard, and seconds that the device waited for pixels."""
    options = EmbedOptions(
        model=name, weights="random", normalise="half", dataset=str(files),
        image_size=session.sized(32, 224), bank=session.folder / f"rate-{name}-{kind}",
        batch_size=session.sized(8, 256), device=session.device,
        shard_rows=session.sized(8, 2048), dtype="bfloat16",
        workers=0 if session.is_tiny else None, compile=kind == "compiled",
    )  # fmt: skip
    report = embed_dataset(plan_embed(options), tell=session.figure)
    steady = runlog.read(report.store)[1:]
    rate = sum(line["rows"] for line in steady) / sum(line["seconds"] for line in steady)
    return rate, report.waited_input_s
