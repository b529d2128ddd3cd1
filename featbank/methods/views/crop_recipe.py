"""One kind of view: how many, how large, and how far from the chip it may be."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class CropRecipe:
    """A kind of random crop with its distortions; every probability is of one chip and crop.

    Attributes:
        name: ``global`` or ``local``, or whatever the method calls it.
        count: Crops of each chip.
        size_px: Side of the crop once resized, a multiple of the patch.
        scale: Smallest and largest share of the chip's area.
        ratio: Smallest and largest width over height.
        flip: Probability of each mirroring, left to right and top to bottom.
        quarter_turns: Whether crops are turned by a random multiple of 90 degrees.
        brightness: Largest shift of a band, in its standard deviations.
        contrast: Largest change of a band's spread about its mean in the crop, as a share.
        band_contrast: Whether each band draws its own brightness and contrast, else all share one.
        colour: Probability of brightness and contrast.
        blur: Probability of a Gaussian blur, for each of the ``count`` crops.
        blur_sigma: Smallest and largest sigma, in pixels of a crop of 224 px, scaled with the
            crop's size.
        solarise: Probability that values above a threshold are mirrored at it, for each crop.
        band_drop: Probability that a band is set to its mean.
        speckle_looks: Equivalent number of looks of multiplicative speckle on SAR bands; 0 adds
            none. Bands of other sensors are left as they are.
    """

    name: str
    count: int
    size_px: int
    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    quarter_turns: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    band_contrast: bool = False
    colour: float = 0.0
    blur: tuple[float, ...] = field(default=())
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    solarise: tuple[float, ...] = field(default=())
    band_drop: float = 0.0
    speckle_looks: float = 0.0
