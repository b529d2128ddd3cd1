"""What stands for a missing pixel: the mean of its band over the train split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.recipes.recipe import round_significant
from featbank.samples import TRAIN
from featbank.sources.fitting import band_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.inputs.adapters import Adapted, Moments
    from featbank.inputs.normalise import Statistics
    from featbank.sources.fitting import Imagery

# In a recipe, of values that are the very numbers that normalisation subtracts.
SAME_AS_MEAN = "normalise.mean"


def fill_values(
    imagery: Imagery,
    adapted: Adapted,
    statistics: Statistics,
    *,
    moments: Moments | None,
    misses: bool,
) -> tuple[float, ...]:
    """Value of each band, in the unit of the stored numbers, that stands for a missing pixel.

    Means are fitted where that has been done anyway, or where the chips looked at miss pixels; else
    a pixel that misses in a chip nobody looked at takes the mean that normalisation subtracts.

    Args:
        imagery: The dataset.
        adapted: The channels.
        statistics: Normalisation of the channels.
        moments: Of the bands, where they were fitted.
        misses: Whether a chip looked at misses pixels.
    """
    if imagery.follow is not None:
        return followed_fill(imagery.follow.recipe)
    is_plain = adapted.weights is None
    if is_plain and statistics.method in ("dataset", "published", "checkpoint"):
        return statistics.mean
    if moments is not None:
        return tuple(round_significant(moments.mean))
    has_train = bool((imagery.dataset.samples.splits[imagery.scheme] == TRAIN).any())
    if has_train and (misses or not is_plain):
        return tuple(round_significant(band_means(imagery)))
    return statistics.mean if is_plain else (0.0,) * len(imagery.dataset.bands)


def fill_recipe(fill: tuple[float, ...], statistics: Statistics) -> str | list[float]:
    """How a recipe says what stands for missing pixels."""
    return SAME_AS_MEAN if fill == statistics.mean else list(fill)


def followed_fill(recipe: Mapping[str, Any]) -> tuple[float, ...]:
    """What stands for missing pixels in a recipe that is followed."""
    inputs = recipe["input"]
    said = inputs.get("missing", {}).get("fill", SAME_AS_MEAN)
    return tuple(inputs["normalise"]["mean"] if said == SAME_AS_MEAN else said)
