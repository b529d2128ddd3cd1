"""Normalisation: the numbers that a network's training used, or the dataset's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.bands import Band

METHODS = (
    "imagenet",
    "half",
    "sat493m",
    "processor",
    "published",
    "dataset",
    "checkpoint",
    "none",
)
_UINT8_MAX = 255.0
_IF_UINT8 = (
    "If its numbers are 0 to 255, also stored as float, pass --unit uint8; else pass --normalise "
    "dataset."
)
# Statistics of eight-bit RGB in 0..1. ImageNet's: torchvision's reference training, used by timm,
# DINO and DINOv2. SAT-493M's: DINOv3's model card and facebookresearch/HighResCanopyHeight.
_RGB = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "ImageNet"),
    "sat493m": ((0.430, 0.411, 0.296), (0.213, 0.156, 0.143), "SAT-493M"),
}


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


def published(
    method: str,
    bands: Sequence[Band],
    *,
    dataset: str,
    processor: Mapping[str, Any] | None = None,
) -> Statistics:
    """Statistics that need neither fitting nor the dataset's own numbers.

    Args:
        method: ``imagenet``, ``half``, ``sat493m``, ``processor`` or ``none``.
        bands: What the network is given.
        dataset: Its name, for messages.
        processor: ``preprocessor_config.json`` of the weights, for ``processor``.

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
    _require_rgb(method, bands, dataset)
    mean, std, source = _RGB[method] if method in _RGB else _of_processor(processor or {})
    return Statistics(
        method=method,
        mean=tuple(value * _UINT8_MAX for value in mean),
        std=tuple(value * _UINT8_MAX for value in std),
        source=source,
    )


def is_rgb(bands: Sequence[Band]) -> bool:
    """Whether the bands are eight-bit red, green and blue, in this order."""
    roles = tuple(band.role for band in bands)
    return roles == ("red", "green", "blue") and all(band.unit == "uint8" for band in bands)


def of_dataset(
    values: Mapping[str, tuple[float, float]], bands: Sequence[Band], *, source: str, dataset: str
) -> Statistics:
    """A dataset's published statistics of the bands taken.

    Args:
        values: (mean, std) by band name, in the unit of the stored numbers.
        bands: The bands taken.
        source: Who published them.
        dataset: Its name, for messages.

    Raises:
        ContractError: A band without numbers.
    """
    missing = [band.name for band in bands if band.name not in values]
    if missing:
        raise ContractError(
            dataset,
            f"its published statistics lack {', '.join(missing)}",
            f"bands among {', '.join(values) or 'none'} for --normalise published",
            "Choose bands with --bands, or pass --normalise dataset.",
        )
    return Statistics(
        method="published",
        mean=tuple(values[band.name][0] for band in bands),
        std=tuple(values[band.name][1] for band in bands),
        source=source,
    )


def _of_processor(
    processor: Mapping[str, Any],
) -> tuple[Sequence[float], Sequence[float], str]:
    if "image_mean" not in processor or "image_std" not in processor:
        raise ContractError(
            "--normalise processor",
            "the weights come without a preprocessor_config.json that tells mean and std",
            "a transformers folder with one",
            "Pass --normalise imagenet, half or dataset.",
        )
    return processor["image_mean"], processor["image_std"], "the weights' preprocessor_config.json"


def _require_uint8(method: str, bands: Sequence[Band], dataset: str) -> None:
    other = [band for band in bands if band.unit != "uint8"]
    if other:
        raise ContractError(
            dataset,
            f"band {other[0].name} is in unit '{other[0].unit}'",
            f"uint8 for --normalise {method}",
            _IF_UINT8 if other[0].unit == "unknown" else "Pass --normalise dataset.",
        )


def _require_rgb(method: str, bands: Sequence[Band], dataset: str) -> None:
    roles = tuple(band.role for band in bands)
    if roles != ("red", "green", "blue"):
        raise ContractError(
            dataset,
            f"gives bands {', '.join(band.name for band in bands)}",
            f"red, green, blue for --normalise {method}",
            "Pass --bands rgb, or --normalise dataset.",
        )
