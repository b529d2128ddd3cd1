"""A checkpoint of ``featbank pretrain`` as a backbone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from featbank.backbones.backbone import BackboneSpec
from featbank.backbones.building.vit_build import build_vit
from featbank.backbones.building.vit_cost import describe_vit

if TYPE_CHECKING:
    from featbank.backbones.backbone import Config

# Its own statistics: those that normalised its input in training.
OWN_STATISTICS = "checkpoint"


def checkpoint_spec(
    *, name: str, config: Config, image_px: int, default_feature: str, licence: str
) -> BackboneSpec:
    """A backbone whose architecture, input and statistics are those of a checkpoint.

    Args:
        name: The checkpoint's name.
        config: Fields of ``VitConfig``.
        image_px: Side of the largest view that it was trained on.
        default_feature: Feature that probes take when none is named.
        licence: Licence of what it started from; empty where at random.
    """
    return BackboneSpec(
        name=name,
        summary=f"checkpoint {name}",
        config=config,
        default_feature=default_feature,
        image_size=image_px,
        normalise=OWN_STATISTICS,
        compute_dtype="bfloat16",
        takes_weights=True,
        licence=licence or "your own",
        weights_from="featbank pretrain",
        describe=partial(describe_vit, image_px=image_px),
        build=build_vit,
    )
