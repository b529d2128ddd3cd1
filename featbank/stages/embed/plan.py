"""From options to everything that decides the bytes, fixed before the first row: the embed plan."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from featbank.bank.bank import Bank
from featbank.device import pick_device, require_float32
from featbank.errors import RefusedError, UsageError
from featbank.inputs.adapters import ADAPTERS
from featbank.inputs.preprocess import RESIZES, InputRecipe
from featbank.ranges import Check, at_least, require, seed_check, share
from featbank.recipes.recipe import recipe_id
from featbank.sources.adapting import adapt, statistics_of
from featbank.sources.backbones_by_name import named_backbone
from featbank.sources.checkpoint_inputs import (
    other_bands,
    trained_bands,
    trained_channels,
    with_trained_adapter,
)
from featbank.sources.checkpoint_opening import with_seen
from featbank.sources.digesting import unnamed_files_note, with_digests
from featbank.sources.duplicates import find_duplicates
from featbank.sources.embed_options import BATCHES, EXTRA_FEATURES
from featbank.sources.filling import fill_values
from featbank.sources.fitting import Imagery, ImageryLook, look
from featbank.sources.following import require_followed_weights
from featbank.sources.opening import dataset_spec, open_dataset
from featbank.sources.reading_rules import (
    contract_of,
    may_drop_bands,
    wanted_bands,
    worker_count,
)
from featbank.sources.selection import scheme_of, with_bands, with_limit
from featbank.sources.split_gaps import embed_notes
from featbank.sources.state_fitting import fitted_weights
from featbank.sources.units import require_unit, with_unit
from featbank.sources.wave_options import with_described_waves
from featbank.sources.weights import load_weights
from featbank.stages.embed.agreement import (
    bind_weights,
    image_size,
    layer_indices,
    normalise_method,
    require_answers_taken,
    require_compiles,
    require_statistics,
    shared_wavelengths,
)
from featbank.stages.embed.recipe import RecipeParts, embed_recipe
from featbank.store.schema import REGISTERS, TOKENS, FeatureLayout, fitting_shard_rows

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.backbones import BackboneSpec, Provides
    from featbank.datasets import Dataset
    from featbank.inputs.adapters import Adapted, Moments
    from featbank.inputs.normalise import Statistics
    from featbank.sources.duplicates import Duplicates
    from featbank.sources.embed_options import EmbedOptions
    from featbank.sources.loaded_weights import Weights
    from featbank.sources.opening import FetchProgress
    from featbank.stages.embed.agreement import ChannelPasses


@dataclass(frozen=True, kw_only=True)
class EmbedPlan:
    """Everything that an embed run needs, settled.

    Attributes:
        options: As the user said.
        spec: The backbone's record.
        weights: Its weights, fitted ones included.
        passes: Which channels go through the network together.
        imagery: The dataset as the run reads it.
        adapted: What the network is given in place of the bands.
        inputs: How pixels become input.
        layout: How features are stored.
        look: What a sample of the imagery showed.
        duplicates: Images that stand in it more than once; None where none does.
        recipe: Everything that decides the bytes.
        path: The store's path.
        made_ns: When it was made.
    """

    options: EmbedOptions
    spec: BackboneSpec
    weights: Weights
    passes: ChannelPasses
    imagery: Imagery
    adapted: Adapted
    inputs: InputRecipe
    layout: FeatureLayout
    look: ImageryLook
    duplicates: Duplicates | None
    recipe: dict[str, Any]
    path: Path
    made_ns: int = field(default_factory=time.time_ns)

    @property
    def n(self) -> int:
        """Number of samples N."""
        return len(self.imagery.dataset.samples)

    @property
    def batch_size(self) -> int:
        """Chips of one forward pass: as asked for, or as suits the device."""
        return self.options.batch_size or BATCHES[pick_device(self.options.device).type]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user must know of the imagery and the weights, a sentence each."""
        shared = shared_wavelengths(self.weights.config, self.passes, self.adapted.channels)
        others = other_bands(self.weights.trained, self.adapted.channels)
        twice = self.duplicates.sentence() if self.duplicates else ""
        unnamed = unnamed_files_note(self.imagery.dataset)
        said = [note for note in (shared, others, unnamed, twice) if note]
        is_for_splits = self.options.follow is None
        samples, scheme = self.imagery.dataset.samples, self.imagery.scheme
        lacking = embed_notes(samples, scheme) if is_for_splits else ()
        return (*self.imagery.dataset.notes, *lacking, *self.weights.notes, *said)

    @property
    def max_refused(self) -> int:
        """Refused rows that the run puts up with."""
        return int(self.options.max_invalid * self.n)


def plan_embed(
    options: EmbedOptions,
    *,
    progress: FetchProgress | None = None,
    imagery: Imagery | None = None,
    is_rehearsal: bool = False,
) -> EmbedPlan:
    """Settle an embed run: open the dataset, read the weights, fit what is fitted.

    Args:
        options: As the user said.
        progress: Takes the step of a download or of the digest pass, its bytes done and in all.
        imagery: The dataset, where it is open already with the bands and samples that are meant.
        is_rehearsal: Whether nothing is written, not even into the bank's cache of digests.

    Raises:
        FeatbankError: Whatever the options, the dataset and the backbone do not agree on.
    """
    check_choices(options)
    spec, options, weights = _model(options, progress)
    # Whatever the options ask of the network is settled before any chip is read.
    alone = spec.describe(weights.config)
    require_compiles(options, alone)
    size = image_size(spec, options, alone.patch_px)
    layers = layer_indices(options, alone.depth)
    options = with_trained_adapter(options, weights.trained)
    imagery = _imagery(options, progress, weights) if imagery is None else imagery
    options = with_described_waves(options, imagery.dataset)
    seen = look(imagery)
    imagery = _known(imagery, options, weights, progress, keeps=not is_rehearsal)
    adapted, moments = _channels(options, imagery, weights)
    weights, passes = bind_weights(spec, weights, adapted, options, dataset=imagery.dataset.name)
    method = normalise_method(spec, options, adapted.channels, imagery, weights)
    provides = _together(spec.describe(weights.config), passes)
    statistics = statistics_of(method, imagery, adapted, moments=moments, weights=weights)
    fill = fill_values(imagery, adapted, statistics, moments=moments, misses=seen.misses)
    inputs = _inputs(options, imagery, adapted, statistics, size, fill=fill)
    weights = fitted_weights(spec, weights, imagery=imagery, inputs=inputs, seed=options.seed)
    layout = _layout(options, provides, size, layers, dataset=imagery.dataset)
    layout = with_masks(layout, options, imagery.dataset)
    parts = RecipeParts(
        spec=spec,
        weights=weights,
        passes=passes,
        adapted=adapted,
        inputs=inputs,
        layout=layout,
        imagery=imagery,
        options=options,
    )
    return _named(parts, seen)


def _model(
    options: EmbedOptions, progress: FetchProgress | None
) -> tuple[BackboneSpec, EmbedOptions, Weights]:
    """The backbone named, what its name says beside, and its weights."""
    spec, options = named_backbone(options)
    require_statistics(spec, options)
    require_answers_taken(spec, options)
    weights = load_weights(spec, options, progress)
    require_followed_weights(options.follow, weights)
    return spec, options, weights


def _known(
    imagery: Imagery,
    options: EmbedOptions,
    weights: Weights,
    progress: FetchProgress | None,
    *,
    keeps: bool,
) -> Imagery:
    """The imagery, each image known by its content, and whether the weights have seen it."""
    dataset = with_digests(imagery.dataset, options.bank, progress, keeps=keeps)
    return replace(imagery, dataset=with_seen(dataset, weights))


def _named(parts: RecipeParts, seen: ImageryLook) -> EmbedPlan:
    """The plan, with the recipe and the path that its parts decide."""
    recipe = embed_recipe(parts)
    bank, dataset = Bank(parts.options.bank), parts.imagery.dataset
    usual = bank.store_path(dataset=dataset.name, model=parts.spec.name, recipe=recipe_id(recipe))
    plan = EmbedPlan(
        **vars(parts),
        look=seen,
        duplicates=find_duplicates(dataset.samples),
        recipe=recipe,
        path=bank.store_of_recipe(recipe_id(recipe), usual=usual) or usual,
    )
    refuse_too_many(plan, seen.refused)
    return plan


def _together(provides: Provides, passes: ChannelPasses) -> Provides:
    """What several passes give: their features stand end to end."""
    return replace(provides, dim=provides.dim * len(passes.picks))


def _inputs(
    options: EmbedOptions,
    imagery: Imagery,
    adapted: Adapted,
    statistics: Statistics,
    size: int | None,
    *,
    fill: tuple[float, ...],
) -> InputRecipe:
    return InputRecipe(
        grids=imagery.dataset.grids,
        bands=tuple(band.name for band in imagery.dataset.bands),
        image_size=size,
        resize=options.resize,
        statistics=statistics,
        weights=adapted.weights,
        fill=fill,
    )


def check_choices(options: EmbedOptions) -> None:
    """Raise for numbers and names that no run could use, before anything is read or fetched.

    Raises:
        UsageError: A number out of range.
        UnknownNameError: A dataset or adapter that is in no catalog.
    """
    require_unit(options.unit, dataset_spec(options.dataset))
    ADAPTERS[options.adapt]
    require_float32(options.device)
    rows = options.shard_rows
    is_power = rows is None or (rows > 0 and rows & (rows - 1) == 0)
    require(
        (
            Check("--shard-rows", rows, is_power, "a power of two"),
            Check("--resize", options.resize, options.resize in RESIZES, " or ".join(RESIZES)),
            at_least("--batch-size", options.batch_size, 1),
            at_least("--image-size", options.image_size, 1),
            at_least("--limit", options.limit, 1),
            at_least("--workers", options.workers, 0),
            seed_check(options.seed),
            share("--max-invalid", options.max_invalid),
            share("--max-missing", options.max_missing),
        )
    )


def refuse_too_many(plan: EmbedPlan, refused: dict[int, str], *, before: int = 0) -> None:
    """Raise where more chips are refused than the run puts up with.

    Args:
        plan: The run.
        refused: Reason by row.
        before: Refused rows of shards that were committed before.

    Raises:
        RefusedError: Names the first refused sample and why.
    """
    count = before + len(refused)
    if count <= plan.max_refused:
        return
    ids = plan.imagery.dataset.samples.ids
    first = f"{ids[min(refused)]}: {refused[min(refused)]}" if refused else "see the store"
    raise RefusedError(
        plan.imagery.dataset.name,
        f"{count} of {plan.n} chips are refused so far; the first is {first}",
        f"at most {plan.max_refused} refused chips (--max-invalid {plan.options.max_invalid:g})",
        "Repair or remove them, or raise --max-invalid to keep them marked invalid.",
    )


def _channels(
    options: EmbedOptions, imagery: Imagery, weights: Weights
) -> tuple[Adapted, Moments | None]:
    own = trained_channels(options, imagery.dataset, weights.trained)
    is_own = own is not None and imagery.follow is None
    return (own, None) if own is not None and is_own else adapt(options.adapt, imagery)


def _imagery(options: EmbedOptions, progress: FetchProgress | None, weights: Weights) -> Imagery:
    dataset = open_dataset(
        options.dataset,
        data_root=options.data_root,
        chips=options.chips,
        splits=options.splits,
        download=options.download,
        needs_labels=options.follow is None,
        progress=progress,
    )
    dataset = with_unit(dataset, options.unit)
    asked = wanted_bands(bands=options.bands, adapt=options.adapt)
    wanted = trained_bands(asked, options, dataset, weights.trained)
    dataset = with_bands(dataset, wanted)
    scheme = scheme_of(dataset.samples, options.split_scheme, subject=dataset.name)
    if options.limit is not None:
        dataset = with_limit(dataset, options.limit, scheme)
    return Imagery(
        dataset=dataset,
        contract=replace(
            contract_of(dataset),
            max_missing=options.max_missing,
            may_drop_bands=may_drop_bands(model=options.model, adapt=options.adapt),
        ),
        scheme=scheme,
        workers=worker_count(options.workers),
        follow=options.follow,
    )


def _layout(
    options: EmbedOptions,
    provides: Provides,
    size: int | None,
    layers: tuple[int, ...],
    *,
    dataset: Dataset,
) -> FeatureLayout:
    extra = {name: name in _extra_features(options) for name in EXTRA_FEATURES}
    asked = {TOKENS: options.tokens, REGISTERS: options.registers, **extra}
    names = tuple(name for name in provides.features if asked.get(name, True))
    for name, is_asked in asked.items():
        if is_asked and name not in names:
            word = f"--features {name}" if name in extra else f"--{name}"
            raise UsageError(
                word,
                f"model '{options.model}' has no {name}",
                f"a model that provides them, not only {', '.join(provides.features)}",
                f"Leave {word} out.",
            )
    side = size // provides.patch_px if size and provides.patch_px else 0
    return FeatureLayout(
        names=names,
        dim=provides.dim,
        layers=layers,
        dtype=options.store_dtype,
        token_grid=(side, side),
        registers=provides.registers,
        bands=tuple(band.name for band in dataset.bands),
    )


def _extra_features(options: EmbedOptions) -> tuple[str, ...]:
    named = (options.features,) if isinstance(options.features, str) else options.features
    for name in named:
        if name not in EXTRA_FEATURES:
            raise UsageError(
                f"--features {name}",
                "no feature of this name is stored on request",
                f"{' or '.join(EXTRA_FEATURES)}; what else a model gives is stored without it, or "
                "with --tokens and --registers",
                "Leave it out.",
            )
    return tuple(named)


def with_masks(layout: FeatureLayout, options: EmbedOptions, dataset: Dataset) -> FeatureLayout:
    """The layout with room for label maps beside patch tokens, and its shard rows settled."""
    if options.tokens and dataset.masks is not None:
        layout = replace(layout, mask_px=dataset.masks.size_px)
    return replace(layout, shard_rows=options.shard_rows or fitting_shard_rows(layout))
