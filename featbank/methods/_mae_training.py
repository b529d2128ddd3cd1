"""MAE in training: hide patches, encode the rest, decode, compare pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from featbank.errors import UsageError, WeightsError
from featbank.layers.drop_path import set_drop_path
from featbank.layers.mae_decoder import DecoderShape, MaeDecoder, own_names, published_names
from featbank.layers.sincos_positions import sincos_positions
from featbank.layers.transformer import LayerScale
from featbank.layers.vit import VisionTransformer
from featbank.layers.vit_config import VitConfig
from featbank.methods.losses.pixels import patchified, pixel_loss
from featbank.methods.method import Method, StepOutput
from featbank.methods.parts.masks import random_keep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.methods.method import Drawn, MethodRequest
    from featbank.methods.parts.draws import Draws

# facebookresearch/mae ``models_mae.py:initialize_weights``.
_TOKEN_STD = 0.02
# Decoders of ViT-B, ViT-L and ViT-H in facebookresearch/mae; for smaller encoders those of MAE-Lite
# (Wang et al. 2023, arXiv:2205.14443; wangsr126/MAE-Lite ``projects/mae_lite/models_mae.py``): one
# block of half the encoder's width. Both have 32 channels a head.
_LARGE_FROM, _LARGE_WIDTH, _LARGE_DEPTH = 768, 512, 8
_HEAD_WIDTH = 32


def decoder_shape(hyper: Mapping[str, Any], encoder_dim: int) -> DecoderShape:
    """Shape of the decoder: what the hyper-parameters say, else what goes with the encoder.

    Args:
        hyper: ``decoder_width``, ``decoder_depth``, ``decoder_heads``; 0 leaves it to this rule.
        encoder_dim: D of the encoder.
    """
    is_large = encoder_dim >= _LARGE_FROM
    width = hyper["decoder_width"] or (_LARGE_WIDTH if is_large else encoder_dim // 2)
    depth = hyper["decoder_depth"] or (_LARGE_DEPTH if is_large else 1)
    heads = hyper["decoder_heads"] or max(1, width // _HEAD_WIDTH)
    return DecoderShape(width=width, depth=depth, heads=heads)


class MaeTraining(Method, nn.Module):
    """Encoder and decoder of a masked autoencoder.

    Args:
        request: What to build from.

    Raises:
        UsageError: No patch would be hidden.
        WeightsError: The decoder's first weights do not fit its shape.
    """

    def __init__(self, request: MethodRequest) -> None:
        nn.Module.__init__(self)
        self._hyper = request.hyper
        config = VitConfig(**request.config)
        _require_hidden(float(request.hyper["mask_ratio"]), request.image_px // config.patch_px)
        self.encoder = _encoder(config, request)
        self.decoder = _decoder(config, request)
        self.encoder.pos_embed.requires_grad_(bool(request.hyper["learn_positions"]))
        if request.hyper["frozen_encoder"]:
            self.encoder.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> Self:
        """A frozen encoder drops no path either."""
        nn.Module.train(self, mode)
        if self._hyper["frozen_encoder"]:
            self.encoder.eval()
        return self

    def draw(self, draws: Draws, sides: Mapping[str, int]) -> Drawn:
        """Which patches are hidden: ``keep``, ``mask`` and ``restore`` of ``RandomMask``."""
        tokens = (sides["global"] // self.encoder.config.patch_px) ** 2
        return random_keep(draws, tokens, float(self._hyper["mask_ratio"]))._asdict()

    def forward(
        self, views: Mapping[str, Tensor], drawn: Drawn, numbers: Mapping[str, float]
    ) -> StepOutput:
        """Loss of one batch; ``features`` is the mean of the patches that were seen."""
        del numbers
        images = views["global"]
        config = self.encoder.config
        patches = patchified(images, config.patch_px)
        tokens = self._encoded(images, drawn["keep"])
        seen = tokens[:, 1 + config.registers :]
        predicted = self.decoder(torch.cat([tokens[:, :1], seen], dim=1), drawn["restore"])
        is_normalised = bool(self._hyper["norm_pixels"])
        loss = pixel_loss(predicted, patches, drawn["mask"], is_normalised=is_normalised)
        features = seen.detach().float().mean(dim=1)
        return StepOutput(loss=loss, parts={"pixels": loss.detach()}, features=features)

    def _encoded(self, images: Tensor, keep: Tensor) -> Tensor:
        # A frozen encoder needs no graph, whose activations are most of the memory.
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._hyper["frozen_encoder"]):
            return self.encoder.encode(images, keep=keep)

    def kept(self) -> Mapping[str, Tensor]:
        """The encoder's tensors, fixed positions among them."""
        return self.encoder.state_dict()

    def heads(self) -> Mapping[str, Tensor]:
        """The decoder's tensors, under the names of facebookresearch/mae."""
        return published_names(self.decoder.state_dict())


def _require_hidden(ratio: float, side: int) -> None:
    if not 1 <= ratio * side**2 < side**2:
        raise UsageError(
            f"mask_ratio {ratio}",
            f"hides {int(ratio * side**2)} of {side**2} patches",
            "at least one patch hidden and one seen",
            "Change it, or take a smaller --patch or a larger --image-size.",
        )


def _encoder(config: VitConfig, request: MethodRequest) -> VisionTransformer:
    encoder = VisionTransformer(config)
    encoder.load_state_dict(dict(request.state))
    set_drop_path(encoder, float(request.hyper["drop_path"]))
    if not request.is_warm:
        _start(encoder, request.seed)
        for module in encoder.modules():
            if isinstance(module, LayerScale):
                nn.init.constant_(module.gamma, float(request.hyper["layer_scale_init"]))
        fixed = sincos_positions(config.dim, config.grid)
        encoder.pos_embed.data.copy_(fixed)
    return encoder


def _decoder(config: VitConfig, request: MethodRequest) -> MaeDecoder:
    shape = decoder_shape(request.hyper, config.dim)
    decoder = MaeDecoder(config, shape, request.image_px // config.patch_px)
    _start(decoder, request.seed + 1)
    if request.heads:
        _load(decoder, request)
    return decoder


def _load(decoder: MaeDecoder, request: MethodRequest) -> None:
    try:
        decoder.load_state_dict(own_names(request.heads))
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise WeightsError(
            "the checkpoint's decoder",
            f"does not fit ({first})",
            "a decoder of the same shape, patch and bands",
            "Take its decoder_width, decoder_depth and decoder_heads, or leave the decoder out.",
        ) from error


def _start(network: nn.Module, seed: int) -> None:
    """First weights as facebookresearch/mae draws them, on any machine the same."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.named_parameters():
        if name.endswith(("_token", "_tokens")):
            nn.init.normal_(value, std=_TOKEN_STD, generator=generator)
        elif name.endswith(".weight") and value.ndim > 1:
            # Convolutions as the linear maps that they are; xavier uniform of (out, in).
            rows, columns = value.shape[0], math.prod(value.shape[1:])
            bound = math.sqrt(6 / (rows + columns))
            nn.init.uniform_(value, -bound, bound, generator=generator)
        elif name.endswith(".bias"):
            nn.init.zeros_(value)
