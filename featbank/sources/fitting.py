"""Looking at imagery before embedding it: what would be refused, and what is fitted on train."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ContractError, RefusedError
from featbank.inputs.missing import valid_mask
from featbank.inputs.normalise import Statistics
from featbank.inputs.polarisation import PolarisationLevels
from featbank.inputs.reader_pool import PoolConfig, ReaderPool
from featbank.inputs.reading import read_batch
from featbank.recipes.recipe import round_significant
from featbank.samples import TRAIN
from featbank.sources.selection import sampled_rows
from featbank.sources.split_gaps import schemes_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from featbank.datasets import Dataset
    from featbank.inputs.contract import Contract
    from featbank.inputs.reading import ReadBatch
    from featbank.sources.embed_options import Followed

# The sample of DESIGN's door checks; a fault that touches 2 % of chips shows up in it with
# probability .994.
LOOK_CHIPS = 256
# Means over 1,024 chips of 64 px and more are known to about 1 % of the spread between chips / 32.
STATISTICS_CHIPS = 1024
_BATCH = 32
_MEASURED = 4


@dataclass(frozen=True, kw_only=True)
class Imagery:
    """A dataset as a run reads it.

    Attributes:
        dataset: Narrowed to the samples and bands taken.
        contract: What each chip must keep.
        scheme: Split scheme whose train split is fitted on.
        workers: Reader processes.
        follow: Recipe whose numbers are taken instead of fitting any.
    """

    dataset: Dataset
    contract: Contract
    scheme: str
    workers: int
    follow: Followed | None = None


@dataclass(frozen=True, kw_only=True)
class ImageryLook:
    """What a sample of the imagery showed.

    Attributes:
        rows: Rows looked at.
        refused: Reason by row.
        chip_bytes: Bytes of the largest chip seen.
        misses: Whether one of the chips misses pixels.
    """

    rows: list[int]
    refused: dict[int, str] = field(default_factory=dict)
    chip_bytes: int = 0
    misses: bool = False


def look(imagery: Imagery) -> ImageryLook:
    """Read a repeatable sample of 256 chips and check each."""
    rows = sampled_rows(imagery.dataset.samples, count=LOOK_CHIPS)
    refused: dict[int, str] = {}
    largest, misses = 0, False
    levels = PolarisationLevels(imagery.dataset.grids)
    for batch_rows, batch in read_rows(imagery, rows):
        refused |= {batch_rows[position]: why for position, why in batch.refused.items()}
        largest, misses = max([largest, *_chip_bytes(batch)]), misses or bool(batch.shares)
        for group in batch.groups:
            levels.add(group.planes)
    if len(refused) == len(rows):
        row, why = next(iter(refused.items()))
        raise RefusedError(
            imagery.dataset.name,
            f"all {len(rows)} chips looked at are refused; the first is "
            f"{imagery.dataset.samples.ids[row]}: {why}",
            "chips that decode and are what the dataset declares",
            "Correct that one, then the others.",
        )
    levels.require_order(imagery.dataset.name)
    return ImageryLook(rows=rows, refused=refused, chip_bytes=largest, misses=misses)


def _chip_bytes(batch: ReadBatch) -> list[int]:
    return [sum(a.nbytes for a in g.planes.values()) // len(g.rows) for g in batch.groups]


def read_rows(imagery: Imagery, rows: Sequence[int]) -> Iterator[tuple[Sequence[int], ReadBatch]]:
    """Read some rows in batches, each beside its rows."""
    reader, contract = imagery.dataset.reader, imagery.contract
    first = read_batch(reader, rows[:_MEASURED], contract)
    slot_bytes = _BATCH * max([0, *_chip_bytes(first)])
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    config = PoolConfig(
        reader=reader, contract=contract, workers=imagery.workers, slot_bytes=slot_bytes
    )
    with ReaderPool(config) as pool:
        yield from zip(batches, pool.read(batches), strict=True)


def train_rows(imagery: Imagery, *, count: int) -> list[int]:
    """A repeatable sample of rows of the train split, excluded ones left out.

    Raises:
        ContractError: There are none.
    """
    samples = imagery.dataset.samples
    is_train = samples.splits[imagery.scheme] == TRAIN
    if samples.exclude is not None:
        is_train = is_train & (samples.exclude == "")
    if not is_train.any():
        raise ContractError(
            imagery.dataset.name,
            f"split scheme '{imagery.scheme}' has no train sample to fit on",
            "train samples, from which statistics, adapters and filters are fitted",
            imagery.dataset.splits_from or schemes_with(samples, TRAIN, but=imagery.scheme),
        )
    return sampled_rows(samples, count=count, among=np.flatnonzero(is_train).tolist())


def fit_statistics(imagery: Imagery) -> Statistics:
    """Mean and standard deviation of each band over pixels of 1,024 train chips.

    Raises:
        ContractError: There is no train chip.
        RefusedError: No train chip is good, or a band has no contrast.
    """
    rows = train_rows(imagery, count=STATISTICS_CHIPS)
    mean, std = _mean_std(_sums(imagery, rows), imagery.dataset.name)
    return Statistics(
        method="dataset",
        mean=tuple(round_significant(mean)),
        std=tuple(round_significant(std)),
        source=fitted_source(imagery, rows),
    )


def band_means(imagery: Imagery) -> NDArray[np.float64]:
    """(C,) mean of each band over the pixels that 1,024 train chips have; 0 where they have none.

    Raises:
        ContractError: There is no train chip.
    """
    count, total, _ = _sums(imagery, train_rows(imagery, count=STATISTICS_CHIPS))
    return np.asarray(total / np.maximum(count, 1))


def _sums(imagery: Imagery, rows: Sequence[int]) -> NDArray[np.float64]:
    """(3, C) count, sum and sum of squares of the pixels that the chips have, band by band."""
    dataset = imagery.dataset
    moments = {grid.name: np.zeros((3, len(grid.bands))) for grid in dataset.grids}
    for _, batch in read_rows(imagery, rows):
        for group in batch.groups:
            for name, pixels in group.grids.items():
                moments[name] += _moments(pixels, valid_mask(group.planes, name))
    stacked = np.concatenate([moments[grid.name] for grid in dataset.grids], axis=1)
    names = [band for grid in dataset.grids for band in grid.bands]
    order = [names.index(band.name) for band in dataset.bands]
    return stacked[:, order]


def fitted_source(imagery: Imagery, rows: Sequence[int]) -> str:
    """What numbers were fitted on, in words."""
    return f"fitted on {len(rows)} train chips of scheme {imagery.scheme}"


def _moments(pixels: NDArray[np.generic], valid: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    values = pixels.astype(np.float64)
    count = np.full(values.shape[1], values.size / values.shape[1])
    if valid is not None:
        values = np.where(valid, values, 0.0)
        count = valid.sum(axis=(0, 2, 3), dtype=np.float64)
    return np.stack([count, values.sum(axis=(0, 2, 3)), np.square(values).sum(axis=(0, 2, 3))])


def _mean_std(
    moments: NDArray[np.float64], subject: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count, total, squares = moments
    mean = total / np.maximum(count, 1)
    std = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    if not (std > 0).all():
        raise RefusedError(
            subject,
            "its train chips have a band without any contrast, or no train chip is good",
            "bands that vary over the train split",
            "Leave the band out with --bands, or correct the imagery.",
        )
    return mean, std
