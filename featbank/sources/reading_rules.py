"""Rules by which imagery is read: which bands, under which contract, by how many readers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from featbank.backbones import BACKBONES
from featbank.errors import UsageError
from featbank.inputs.adapters import ADAPTERS
from featbank.inputs.contract import Contract

if TYPE_CHECKING:
    from featbank.datasets import Dataset

# Adapters whose channels are bands, which a chip may lack.
_PLAIN_ADAPTERS = ("none", "rgb")


def wanted_bands(*, bands: str, adapt: str) -> str:
    """The bands asked for, or those that an adapter chooses.

    Args:
        bands: As ``--bands`` takes them.
        adapt: Name of the adapter.

    Raises:
        UsageError: Both.
    """
    own = ADAPTERS[adapt].bands
    if own and bands not in ("all", own):
        raise UsageError(
            f"--bands {bands}",
            f"--adapt {adapt} chooses the bands itself",
            "one of the two",
            "Leave --bands or --adapt out.",
        )
    return own or bands


def may_drop_bands(*, model: str, adapt: str) -> bool:
    """Whether a chip without some bands still has features: of a model that hears wavelengths."""
    spec = BACKBONES.get(model)
    return spec is not None and spec.bind is not None and adapt in _PLAIN_ADAPTERS


def contract_of(dataset: Dataset) -> Contract:
    """What each chip of a dataset must keep."""
    return Contract(
        grids=dataset.grids,
        units={band.name: band.unit for band in dataset.bands},
        allows_constant=dataset.allows_constant,
    )


def worker_count(asked: int | None) -> int:
    """Reader processes: as asked, or one for each core but one, 1 to 16.

    Processes that torchrun started on one machine share its cores.
    """
    if asked is not None:
        return asked
    # macOS has no affinity; there every core counts.
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    sharers = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return min(16, max(1, cores // sharers - 1))
