"""``rcf``: random convolutional features, filters whitened on the train split; no training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.backbones.backbone import BackboneSpec, Provides

if TYPE_CHECKING:
    from featbank.backbones.backbone import Chips, Config, Encoder, State

# What torchgeo's RCF calls features and kernel_size; 256 filters give 512 features, the width of
# torchgeo-bench's random convolution rows.
_FILTERS, _KERNEL_PX = 256, 3


def _describe(config: Config) -> Provides:
    return Provides(features=("mean",), dim=2 * config["filters"])


def _build(config: Config, state: State) -> Encoder:
    import torch

    from featbank.layers.pooled import Pooled
    from featbank.layers.random_conv import RandomConv

    network = RandomConv(
        filters=config["filters"], bands=config["channels"], kernel=config["kernel_px"]
    )
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return Pooled(network).eval()


def _fit(config: Config, chips: Chips, seed: int) -> State:
    from featbank.layers.random_conv import fit_random_conv

    return fit_random_conv(
        list(chips), filters=config["filters"], kernel=config["kernel_px"], seed=seed
    )


SPECS = (
    BackboneSpec(
        name="rcf",
        summary="random convolutional features (MOSAIKS), filters whitened on the train split",
        config={"channels": 3, "filters": _FILTERS, "kernel_px": _KERNEL_PX},
        default_feature="mean",
        image_size=None,
        normalise="dataset",
        compute_dtype="float32",
        takes_weights=False,
        licence="",
        weights_from="none needed; filters are drawn from train chips",
        describe=_describe,
        build=_build,
        fit=_fit,
    ),
)
