"""Making DINO's views of 64 chips against the encoder's share of a step on them.

The step is bare: the student's forward and backward pass over all views and the teacher's forward
pass over the large ones, ViT-Ti/16 of random weights, no heads, no loss worth the name, no
optimiser. A whole step costs more.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import torch

from featbank.bands import RGB
from featbank.layers.vit import VisionTransformer
from featbank.layers.vit_config import VitConfig
from featbank.methods.parts.bundle import Bundle
from featbank.methods.parts.draws import Draws
from featbank.methods.parts.masks import block_masks, random_keep
from featbank.methods.views.channel_facts import channel_facts
from featbank.methods.views.crop_recipe import CropRecipe
from featbank.methods.views.maker import ViewMaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHIPS, SIZE_PX, ROUNDS = 64, 150, 5
_DISTORTIONS = {"quarter_turns": True, "brightness": 0.4, "contrast": 0.4, "colour": 0.8}
CROPS = (
    CropRecipe(
        name="global",
        count=2,
        size_px=96,
        scale=(0.4, 1.0),
        blur=(1.0, 0.1),
        solarise=(0.0, 0.2),
        **_DISTORTIONS,
    ),
    CropRecipe(
        name="local", count=6, size_px=48, scale=(0.05, 0.4), blur=(0.5,) * 6, **_DISTORTIONS
    ),
)


def measure(shared: Path) -> dict[str, Any]:
    del shared
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    views_ms, step_ms = alternated(device)
    return {
        "device": device.type,
        "threads": torch.get_num_threads(),
        "views_ms": round(statistics.median(views_ms), 1),
        "encoder_step_ms": round(statistics.median(step_ms), 1),
        "share": round(statistics.median(v / s for v, s in zip(views_ms, step_ms, strict=True)), 4),
        "block_masks_ms": round(masks_ms(lambda d: block_masks(d, crops=2, grid=(14, 14))), 2),
        "random_keep_ms": round(masks_ms(lambda d: random_keep(d, 196, 0.75)), 2),
    }


def alternated(device: torch.device) -> tuple[list[float], list[float]]:
    """Milliseconds of views and of steps, in turns, so that a busy machine slows both."""
    torch.manual_seed(0)
    config = VitConfig(dim=192, depth=12, heads=3, patch_px=16, channels=3, grid=14, mlp_dim=768)
    student, teacher = VisionTransformer(config).to(device), VisionTransformer(config).to(device)
    chips = torch.randn(CHIPS, 3, SIZE_PX, SIZE_PX, device=device)
    maker = ViewMaker(CROPS, channel_facts(RGB, (0.0,) * 3, (1.0,) * 3))
    views = made(maker, chips, 0)
    step(student, teacher, views)
    views_ms, step_ms = [], []
    for turn in range(ROUNDS):
        views_ms.append(_timed(lambda at=turn: made(maker, chips, at), device))
        step_ms.append(_timed(lambda: step(student, teacher, views), device))
    return views_ms, step_ms


def made(maker: ViewMaker, chips: torch.Tensor, step_index: int) -> dict[str, torch.Tensor]:
    drawn = maker.draw((SIZE_PX, SIZE_PX), draws(step_index))
    return maker(chips, Bundle(drawn, chips.device).moved())


def draws(step_index: int) -> Draws:
    return Draws(seed=0, step=step_index, total=CHIPS, rows=range(CHIPS))


def step(
    student: VisionTransformer, teacher: VisionTransformer, views: dict[str, torch.Tensor]
) -> None:
    with torch.no_grad():
        target = teacher.encode(views["global"])[:, 0]
    loss = sum(student.encode(x)[:, 0].square().mean() for x in views.values())
    (loss + target.mean()).backward()


def masks_ms(make: Callable[[Draws], Any]) -> float:
    cpu = torch.device("cpu")
    return statistics.median(_timed(lambda at=i: make(draws(at)), cpu) for i in range(20))


def _timed(call: Callable[[], Any], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    call()
    _wait(device)
    return (time.perf_counter() - start) * 1e3


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
