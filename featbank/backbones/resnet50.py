"""``resnet50``: the convolutional baseline, through transformers."""

from __future__ import annotations

from featbank.backbones.backbone import BackboneSpec
from featbank.backbones.building.hub_models import (
    RESNET,
    build_hub,
    config_of,
    describe_hub,
    initial_hub,
    read_hub,
)

# The library's defaults of ``ResNetConfig`` are ResNet-50's; written out, so that they stay.
_SETTINGS = {
    "model_type": RESNET,
    "embedding_size": 64,
    "hidden_sizes": [256, 512, 1024, 2048],
    "depths": [3, 4, 6, 3],
    "layer_type": "bottleneck",
    "hidden_act": "relu",
}
# Of the network without its classifier; 4.1 GFLOP multiply-adds (He et al. 2016, table 1), twice
# that in operations.
_PARAMETERS, _GFLOP = 23_508_032, 8.2
_HUB_ID = "microsoft/resnet-50"

SPECS = (
    BackboneSpec(
        name="resnet50",
        summary="ResNet-50 trained on ImageNet-1k, the convolutional baseline",
        config={**config_of(_SETTINGS), "parameters": _PARAMETERS, "gflop": _GFLOP},
        default_feature="mean",
        image_size=224,
        normalise="imagenet",
        compute_dtype="bfloat16",
        takes_weights=True,
        licence="Apache-2.0",
        weights_from=f"hub id {_HUB_ID}",
        describe=describe_hub,
        build=build_hub,
        read=read_hub,
        initial=initial_hub,
        hub_id=_HUB_ID,
    ),
)
