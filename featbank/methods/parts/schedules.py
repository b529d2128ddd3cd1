"""Numbers that change from step to step, settled before the first one: (steps,) float64 each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.methods.method import Length, MethodSpec

LR, WEIGHT_DECAY = "lr", "weight_decay"


def half_cosine(start: float, end: float, steps: int) -> NDArray[np.float64]:
    """From ``start`` towards ``end`` along half a cosine: ``end + (start - end)(1 + cos πt/T)/2``.

    Args:
        start: Value at step 0.
        end: Value that step T would have, one after the last.
        steps: T, at least 1.

    References:
        Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, with one period.
    """
    share = np.arange(steps, dtype=np.float64) / steps
    return end + (start - end) * 0.5 * (1 + np.cos(np.pi * share))


def warmed_up_cosine(
    peak: float, end: float, *, steps: int, warmup_steps: int
) -> NDArray[np.float64]:
    """A straight line from 0 to ``peak``, then half a cosine towards ``end``.

    The first step of a warm-up has the value 0, as in MAE, DINO and DINOv2.

    Args:
        peak: Value at the end of the warm-up.
        end: Value that the run tends to.
        steps: Steps of the run, at least 1.
        warmup_steps: Steps of the line; a warm-up longer than the run is cut with it.

    References:
        facebookresearch/mae ``util/lr_sched.py``.
    """
    line = peak * np.arange(warmup_steps, dtype=np.float64) / max(warmup_steps, 1)
    rest = max(steps - warmup_steps, 1)
    return np.concatenate([line, half_cosine(peak, end, rest)])[:steps]


def scaled_lr(hyper: Mapping[str, Any], batch_size: int) -> float:
    """The learning rate of a batch size: ``lr`` times, by ``lr_rule``, batch/lr_batch or its root.

    Args:
        hyper: ``lr``, ``lr_batch``, and ``lr_rule`` (``linear`` or ``sqrt``).
        batch_size: Chips of one step over all processes.

    References:
        Goyal et al. 2017, arXiv:1706.02677 (linear); dinov2 ``ssl_default_config.yaml`` (sqrt).
    """
    share = batch_size / hyper["lr_batch"]
    power = {"linear": 1.0, "sqrt": 0.5}[hyper["lr_rule"]]
    return float(hyper["lr"] * share**power)


def schedules(
    method: MethodSpec, hyper: Mapping[str, Any], length: Length
) -> dict[str, NDArray[Any]]:
    """Every number of a run by name: learning rate, weight decay and the method's own."""
    lr = warmed_up_cosine(
        scaled_lr(hyper, length.batch_size),
        hyper["min_lr"],
        steps=length.steps,
        warmup_steps=round(hyper["warmup_epochs"] * length.steps_per_epoch),
    )
    decay = half_cosine(hyper["weight_decay"], hyper["weight_decay_end"], length.steps)
    return {LR: lr, WEIGHT_DECAY: decay, **method.schedules(hyper, length)}


def numbers_at(numbers: Mapping[str, NDArray[Any]], step: int) -> dict[str, float]:
    """The values of one step."""
    return {name: float(values[step]) for name, values in numbers.items()}
