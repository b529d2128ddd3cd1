"""``imagestats``: mean, standard deviation, minimum and maximum of each band; the floor to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.backbones.backbone import BackboneSpec, Provides

if TYPE_CHECKING:
    from featbank.backbones.backbone import Config, Encoder, State

_STATISTICS = 4


def _describe(config: Config) -> Provides:
    return Provides(features=("mean",), dim=_STATISTICS * config["channels"])


def _build(config: Config, state: State) -> Encoder:
    from featbank.layers.image_statistics import ImageStatistics
    from featbank.layers.pooled import Pooled

    return Pooled(ImageStatistics(), counts_valid=True).eval()


SPECS = (
    BackboneSpec(
        name="imagestats",
        summary="mean, standard deviation, minimum, maximum of each band: the floor to beat",
        config={"channels": 3},
        default_feature="mean",
        image_size=None,
        normalise="dataset",
        compute_dtype="float32",
        takes_weights=False,
        licence="",
        weights_from="none needed",
        describe=_describe,
        build=_build,
    ),
)
