"""From a dataset's bands to a network's channels, and the numbers that normalise them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.backbones.building.checkpoint_spec import OWN_STATISTICS
from featbank.errors import UsageError
from featbank.inputs.adapters import ADAPTERS, Adapted, Moments
from featbank.inputs.normalise import Statistics, of_dataset, published
from featbank.recipes.recipe import round_significant
from featbank.sources.checkpoint_inputs import trained_statistics
from featbank.sources.fitting import (
    STATISTICS_CHIPS,
    Imagery,
    fit_statistics,
    fitted_source,
    read_rows,
    train_rows,
)
from featbank.sources.following import followed_channels, followed_statistics

if TYPE_CHECKING:
    from featbank.sources.loaded_weights import Weights


def adapt(name: str, imagery: Imagery) -> tuple[Adapted, Moments | None]:
    """The channels that an adapter makes of a dataset's bands; those of a recipe that is followed.

    Returns:
        The channels, and the bands' moments where the channels are sums of bands.

    Raises:
        UnknownNameError: No adapter of this name.
        ContractError: The adapter does not suit the bands.
    """
    spec, dataset = ADAPTERS[name], imagery.dataset
    if imagery.follow is not None:
        return followed_channels(spec, dataset, imagery.follow), None
    moments = fit_moments(imagery) if spec.needs_moments else None
    return spec.adapt(dataset.bands, moments, dataset.name), moments


def statistics_of(
    method: str,
    imagery: Imagery,
    adapted: Adapted,
    *,
    moments: Moments | None,
    weights: Weights,
) -> Statistics:
    """Numbers that normalise the channels; those of a recipe that is followed.

    Raises:
        ContractError: The numbers are of other bands, or there are no train samples.
        RefusedError: A band has no contrast.
        UsageError: Published numbers for channels that are sums of bands.
    """
    if imagery.follow is not None:
        return followed_statistics(imagery.follow)
    dataset = imagery.dataset
    if method == "published":
        return _published(imagery, adapted)
    if method == OWN_STATISTICS:
        return trained_statistics(weights.trained, adapted.channels, dataset=dataset.name)
    if method != "dataset":
        processor = weights.processor
        return published(method, adapted.channels, dataset=dataset.name, processor=processor)
    if adapted.weights is None:
        return fit_statistics(imagery)
    return _of_sums(adapted, fit_moments(imagery) if moments is None else moments, imagery)


def _published(imagery: Imagery, adapted: Adapted) -> Statistics:
    dataset = imagery.dataset
    if adapted.weights is not None:
        raise UsageError(
            "--normalise published",
            f"adapter '{adapted.name}' makes channels that nobody published numbers of",
            "the bands as they are",
            "Pass --normalise dataset.",
        )
    values = {} if dataset.statistics is None else dataset.statistics.values
    source = "" if dataset.statistics is None else dataset.statistics.source
    return of_dataset(values, dataset.bands, source=source, dataset=dataset.name)


def _of_sums(adapted: Adapted, moments: Moments, imagery: Imagery) -> Statistics:
    weights = np.array(adapted.weights)
    variance = np.einsum("mc,cd,md->m", weights, moments.covariance, weights)
    rows = train_rows(imagery, count=STATISTICS_CHIPS)
    return Statistics(
        method="dataset",
        mean=tuple(round_significant(weights @ moments.mean)),
        std=tuple(round_significant(np.sqrt(variance))),
        source=fitted_source(imagery, rows),
    )


def fit_moments(imagery: Imagery) -> Moments:
    """Mean and covariance of the bands over pixels of 1,024 train chips, on the finest grid.

    Raises:
        ContractError: There is no train chip.
        RefusedError: No train chip is good.
    """
    import torch

    from featbank.inputs.preprocess import InputRecipe, Preprocess

    bands = tuple(band.name for band in imagery.dataset.bands)
    plain = published("none", imagery.dataset.bands, dataset=imagery.dataset.name)
    prepare = Preprocess(
        InputRecipe(
            grids=imagery.dataset.grids,
            bands=bands,
            image_size=None,
            resize="nearest",
            statistics=plain,
        ),
        torch.device("cpu"),
    )
    count, total, products = 0, np.zeros(len(bands)), np.zeros((len(bands), len(bands)))
    for _, batch in read_rows(imagery, train_rows(imagery, count=STATISTICS_CHIPS)):
        for group in batch.groups:
            planes = {name: torch.from_numpy(array) for name, array in group.planes.items()}
            missing = prepare.missing(planes)
            # (b, C, H, W) -> (C, pixels)
            values = prepare(planes).transpose(0, 1).flatten(1).double().numpy()
            if missing is not None:
                values = values[:, missing.pixels.flatten().numpy() == 0]
            count += values.shape[1]
            total += values.sum(axis=1)
            products += values @ values.T
    mean = total / max(count, 1)
    return Moments(mean=mean, covariance=products / max(count, 1) - np.outer(mean, mean))
