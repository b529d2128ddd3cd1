"""A dataset as a pretraining run reads it, and the channels and numbers that its network gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from featbank.errors import RefusedError, UsageError
from featbank.inputs.adapters import ADAPTERS
from featbank.inputs.normalise import METHODS
from featbank.inputs.preprocess import InputRecipe
from featbank.sources.adapting import adapt, statistics_of
from featbank.sources.digesting import with_digests
from featbank.sources.filling import fill_values
from featbank.sources.fitting import STATISTICS_CHIPS, Imagery, ImageryLook, look
from featbank.sources.loaded_weights import Weights
from featbank.sources.opening import dataset_spec, open_dataset
from featbank.sources.reading_rules import contract_of, wanted_bands, worker_count
from featbank.sources.selection import scheme_of, with_bands, with_limit
from featbank.sources.units import require_unit, with_unit
from featbank.stages.pretrain.settings.training_rows import fitted_on, training_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from featbank.bank.checkpoints import Checkpoint
    from featbank.inputs.adapters import Adapted
    from featbank.inputs.normalise import Statistics
    from featbank.sources.opening import FetchProgress
    from featbank.stages.pretrain.options import PretrainOptions


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a run reads.

    Attributes:
        imagery: The dataset.
        rows: Rows that are trained on.
        look: What a sample of the imagery showed.
        notes: What a user must know of the choice of chips.
    """

    imagery: Imagery
    rows: NDArray[np.intp]
    look: ImageryLook
    notes: tuple[str, ...]


def require_choices(options: PretrainOptions) -> None:
    """Refuse names that no run could use, before anything is read.

    Raises:
        UnknownNameError: An adapter that is in no catalog.
        UsageError: Channels that go through the network one by one, or unknown statistics.
    """
    ADAPTERS[options.adapt]
    if options.adapt == "per-band":
        raise UsageError(
            "--adapt per-band",
            "each band would go through the network alone",
            "an adapter that makes whole chips, such as pca3, or none",
            "Name one band with --bands to train a network of single bands.",
        )
    if options.normalise not in (None, *METHODS):
        raise UsageError(
            f"--normalise {options.normalise}",
            "no such statistics",
            f"one of {', '.join(METHODS)}",
            "Choose one.",
        )


def read_imagery(options: PretrainOptions, progress: FetchProgress | None) -> Reading:
    """Open the dataset, choose bands and chips, and look at a sample of them.

    Raises:
        FeatbankError: It does not open, has no such bands, or no good chips to train on.
    """
    require_unit(options.unit, dataset_spec(options.dataset))
    dataset = open_dataset(
        options.dataset,
        data_root=options.data_root,
        chips=options.chips,
        splits=options.splits,
        download=options.download,
        needs_labels=False,
        progress=progress,
    )
    wanted = wanted_bands(bands=options.bands, adapt=options.adapt)
    dataset = with_bands(with_unit(dataset, options.unit), wanted)
    scheme = scheme_of(dataset.samples, options.split_scheme, subject=dataset.name)
    if options.limit is not None:
        dataset = with_limit(dataset, options.limit, scheme)
    imagery = Imagery(
        dataset=dataset,
        contract=contract_of(dataset),
        scheme=scheme,
        workers=worker_count(options.workers),
    )
    rows, notes = training_rows(imagery, options.splits_seen)
    seen = look(imagery)
    _refuse_too_many(seen, rows, imagery, options.max_invalid)
    # A run that is only planned makes no bank.
    known = with_digests(dataset, options.bank, progress, keeps=options.bank.is_dir())
    imagery = replace(imagery, dataset=known)
    return Reading(imagery=imagery, rows=rows, look=seen, notes=(*dataset.notes, *notes))


def _refuse_too_many(
    seen: ImageryLook, rows: NDArray[np.intp], imagery: Imagery, max_invalid: float
) -> None:
    chosen = set(rows.tolist())
    bad = {row: why for row, why in seen.refused.items() if row in chosen}
    most = int(max_invalid * len(rows))
    if len(bad) <= most:
        return
    first = min(bad)
    name = imagery.dataset.samples.ids[first]
    raise RefusedError(
        imagery.dataset.name,
        f"{len(bad)} of the chips looked at are refused; the first is {name}: {bad[first]}",
        f"at most {most} refused chips of {len(rows)} (--max-invalid {max_invalid:g})",
        "Repair or remove them, or raise --max-invalid to train without them.",
    )


def channels_of(
    options: PretrainOptions, reading: Reading, *, trained: Checkpoint | None
) -> tuple[Adapted, InputRecipe]:
    """Channels that the network gets, and how pixels become them: at native size, normalised.

    What is fitted is fitted on the chips that are trained on.

    Args:
        options: ``adapt``, ``normalise``.
        reading: The imagery.
        trained: The teacher, or the checkpoint that the run starts from: its statistics are meant
            by ``checkpoint``.

    Raises:
        FeatbankError: An adapter or statistics that do not suit the bands.
    """
    imagery = fitted_on(reading.imagery, reading.rows)
    adapted, moments = adapt(options.adapt, imagery)
    statistics = statistics_of(
        options.normalise or "dataset",
        imagery,
        adapted,
        moments=moments,
        weights=Weights(config={}, state={}, origin="", trained=trained),
    )
    return adapted, InputRecipe(
        grids=imagery.dataset.grids,
        bands=tuple(band.name for band in imagery.dataset.bands),
        image_size=None,
        resize="bicubic",
        statistics=_told(statistics, options, reading),
        weights=adapted.weights,
        fill=fill_values(imagery, adapted, statistics, moments=moments, misses=reading.look.misses),
    )


def _told(statistics: Statistics, options: PretrainOptions, reading: Reading) -> Statistics:
    """The statistics, with the splits that they were fitted on."""
    if statistics.method != "dataset":
        return statistics
    count = min(STATISTICS_CHIPS, len(reading.rows))
    splits = " and ".join(options.splits_seen)
    scheme = reading.imagery.scheme
    return replace(statistics, source=f"fitted on {count} {splits} chips of scheme {scheme}")
