"""The short phase of larger views that ends a run, where its method asks for one.

References:
    Oquab et al. 2024, arXiv:2304.07193, section 4 ("Adapting the resolution"): dense tasks gain
    most of what training at a high resolution throughout would give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import UsageError
from featbank.methods.views.maker import ViewMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from featbank.methods.views.channel_facts import ChannelFacts
    from featbank.stages.pretrain.plan import PretrainPlan

_SIDE, _SHARE = "high_res_px", "high_res_share"


def first_large_step(hyper: Mapping[str, Any], steps: int) -> int:
    """First step whose views are larger; ``steps`` where there is none.

    Args:
        hyper: Of the method; ``high_res_px`` of 0 means no such phase.
        steps: Of the whole run.
    """
    return steps - round(hyper[_SHARE] * steps) if hyper.get(_SIDE) else steps


def require_large_views(hyper: Mapping[str, Any], *, image_px: int, patch_px: int) -> None:
    """Raise for a phase whose views could not be made.

    Args:
        hyper: Of the method.
        image_px: Side of the usual largest view.
        patch_px: Side of a patch.

    Raises:
        UsageError: A side that is no multiple of the patch or not larger, or a share above 1.
    """
    side = hyper.get(_SIDE, 0)
    if side and (side % patch_px or side <= image_px):
        raise UsageError(
            f"--set {_SIDE}={side}",
            f"does not fit views of {image_px} px and patches of {patch_px} px",
            f"a larger multiple of {patch_px}, or 0 for no such phase",
            f"Correct {_SIDE}.",
        )
    if side and not 0 < hyper[_SHARE] <= 1:
        raise UsageError(
            f"--set {_SHARE}={hyper[_SHARE]}",
            "is no share of a run",
            "above 0, at most 1",
            f"Correct {_SHARE}.",
        )


def views_by_step(
    plan: PretrainPlan, channels: Sequence[ChannelFacts]
) -> Callable[[int], ViewMaker]:
    """What makes the views of each step."""
    usual, first = ViewMaker(plan.crops, channels), first_large_step(plan.hyper, plan.length.steps)
    if first == plan.length.steps:
        return lambda _step: usual
    patch_px = plan.request.config["patch_px"]
    large = ViewMaker(plan.method.crops(plan.hyper, plan.hyper[_SIDE], patch_px), channels)
    return lambda step: large if step >= first else usual
