"""Multiplicative speckle on radar bands, whatever unit they are stored in."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import gammaincinv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featbank.methods.parts.draws import Draws
    from featbank.methods.views.channel_facts import ChannelFacts

_BITS = 16
_SEED_BITS = 24
_WORD = 0xFFFFFFFF


class Speckle:
    """Adds speckle to the radar channels of views.

    Fully developed speckle multiplies the intensity by a gamma variable of mean 1 and shape L. In
    dB that is a sum with ten times its logarithm, whose mean lies below 0: 2.5 dB for one look,
    0.5 dB for five. Values in linear units are taken to be intensities. Neighbouring pixels of a
    view are independent.

    Args:
        looks: L, the equivalent number of looks, > 0.
        channels: Facts of the C channels.

    References:
        Oliver and Quegan 2004, Understanding Synthetic Aperture Radar Images, section 4.4.
    """

    def __init__(self, looks: float, channels: Sequence[ChannelFacts]) -> None:
        self._channels = {i: facts for i, facts in enumerate(channels) if facts.is_sar}
        intensity = _quantiles(looks)
        self._tables = {"intensity": intensity, "dB": 10 * torch.log10(intensity)}

    def __bool__(self) -> bool:
        return bool(self._channels)

    def draw(self, draws: Draws) -> Tensor:
        """(b, 1) int64: a seed of each view's speckle, on the CPU."""
        seeds: Tensor = (draws.uniform(1) * 2**_SEED_BITS).long()
        return seeds

    def add(self, views: Tensor, seeds: Tensor) -> Tensor:
        """Add it to views, in place; each has its own.

        Args:
            views: (b, C, s, s).
            seeds: (b, 1), as ``draw`` gives them, on the views' device.
        """
        self._move(views.device)
        for place, facts in self._channels.items():
            bits = _pixel_bits(seeds + (place << _SEED_BITS), views.shape[2] * views.shape[3])
            band = views[:, place]
            bits = bits.reshape(band.shape)
            if facts.unit == "dB":
                band += self._tables["dB"][bits] / facts.std
            else:
                factor = self._tables["intensity"][bits]
                band += (factor - 1) * (band + facts.mean / facts.std)
        return views

    def _move(self, device: torch.device) -> None:
        # Once: 256 KiB at each view would have the host wait.
        if self._tables["dB"].device != device:
            self._tables = {name: table.to(device) for name, table in self._tables.items()}


@lru_cache(maxsize=8)
def _quantiles(looks: float) -> Tensor:
    """(65,536,) equally likely values of a gamma variable of mean 1 and shape ``looks``."""
    chances = (np.arange(2**_BITS) + 0.5) / 2**_BITS
    values = gammaincinv(looks, chances)
    return torch.from_numpy(values / values.mean()).float()


def _pixel_bits(seeds: Tensor, pixels: int) -> Tensor:
    """(b, pixels) whole numbers below 65,536, by a hash of seed and pixel.

    A generator's numbers depend on how many are drawn at once, so a chip's would differ between
    batches; drawn on the CPU for the whole step they would be too many.
    """
    counter = _mixed(seeds) + torch.arange(pixels, device=seeds.device)
    return _mixed(counter & _WORD) >> (32 - _BITS)


def _mixed(word: Tensor) -> Tensor:
    """Spread 32 bits over all 32 of them: ``lowbias32`` of github.com/skeeto/hash-prospector."""
    word = ((word ^ (word >> 16)) * 0x7FEB352D) & _WORD
    word = ((word ^ (word >> 15)) * 0x846CA68B) & _WORD
    return word ^ (word >> 16)
