"""Rules by which imagery is read: which bands, under which contract, by how many readers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from featbank.backbones import BACKBONES
from featbank.errors import UsageError
from featbank.inputs.adapters import ADAPTERS
from featbank.inputs.checks import Contract

if TYPE_CHECKING:
    from featbank.datasets import Dataset
    from featbank.stages.embed_options import EmbedOptions
    from featbank.stages.pretrain.options import PretrainOptions

# Adapters whose channels are bands, which a chip may lack.
_PLAIN_ADAPTERS = ("none", "rgb")


def wanted_bands(options: EmbedOptions | PretrainOptions) -> str:
    """The bands asked for, or those that an adapter chooses.

    Raises:
        UsageError: Both.
    """
    own = ADAPTERS[options.adapt].bands
    if own and options.bands not in ("all", own):
        raise UsageError(
            f"--bands {options.bands}",
            f"--adapt {options.adapt} chooses the bands itself",
            "one of the two",
            "Leave --bands or --adapt out.",
        )
    return own or options.bands


def may_drop_bands(options: EmbedOptions) -> bool:
    """Whether a chip without some bands still has features: of a model that hears wavelengths."""
    spec = BACKBONES.get(options.model)
    return spec is not None and spec.bind is not None and options.adapt in _PLAIN_ADAPTERS


def contract_of(dataset: Dataset) -> Contract:
    """What each chip of a dataset must keep."""
    return Contract(
        grids=dataset.grids,
        units={band.name: band.unit for band in dataset.bands},
        allows_constant=dataset.allows_constant,
    )


def worker_count(options: EmbedOptions | PretrainOptions) -> int:
    """Reader processes: as asked, or one for each core but one, 1 to 16.

    Processes that torchrun started on one machine share its cores.
    """
    if options.workers is not None:
        return options.workers
    # macOS has no affinity; there every core counts.
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    sharers = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return min(16, max(1, cores // sharers - 1))
