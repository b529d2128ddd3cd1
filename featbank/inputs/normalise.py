"""Normalisation: the numbers that a network's training used, or the dataset's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bands import Band

METHODS = ("imagenet", "half", "dataset", "none")
# ImageNet statistics of inputs in 0..1 (torchvision's reference training, used by timm and DINO).
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UINT8_MAX = 255.0


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """``(x - mean) / std`` band by band, in the unit of the stored numbers.

    Attributes:
        method: Name in ``METHODS``.
        mean: C numbers.
        std: C positive numbers.
        source: Where the numbers come from.
    """

    method: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str


def published(method: str, bands: Sequence[Band], *, dataset: str) -> Statistics:
    """Statistics that need no fitting: ``imagenet``, ``half`` or ``none``.

    Raises:
        ContractError: The bands are not what the statistics were made for.
    """
    if method == "none":
        count = len(bands)
        return Statistics(method=method, mean=(0.0,) * count, std=(1.0,) * count, source="none")
    _require_uint8(method, bands, dataset)
    if method == "half":
        half = (_UINT8_MAX / 2,) * len(bands)
        return Statistics(method=method, mean=half, std=half, source="0..255 to -1..1")
    _require_rgb(bands, dataset)
    return Statistics(
        method=method,
        mean=tuple(value * _UINT8_MAX for value in _IMAGENET_MEAN),
        std=tuple(value * _UINT8_MAX for value in _IMAGENET_STD),
        source="ImageNet",
    )


def _require_uint8(method: str, bands: Sequence[Band], dataset: str) -> None:
    other = [band for band in bands if band.unit != "uint8"]
    if other:
        raise ContractError(
            dataset,
            f"band {other[0].name} is in unit '{other[0].unit}'",
            f"uint8 for --normalise {method}",
            "Pass --normalise dataset.",
        )


def _require_rgb(bands: Sequence[Band], dataset: str) -> None:
    roles = tuple(band.role for band in bands)
    if roles != ("red", "green", "blue"):
        raise ContractError(
            dataset,
            f"gives bands {', '.join(band.name for band in bands)}",
            "red, green, blue for --normalise imagenet",
            "Pass --bands rgb, or --normalise dataset.",
        )
