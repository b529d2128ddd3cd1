"""What a checkpoint and a dataset agree on: bands by name, units, channels and statistics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from featbank.backbones.building.checkpoint_spec import OWN_STATISTICS
from featbank.errors import ContractError, UsageError
from featbank.inputs.adapters import ADAPTERS
from featbank.inputs.normalise import Statistics
from featbank.sources.embed_options import Followed
from featbank.sources.following import followed_channels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.bands import Band
    from featbank.bank.checkpoints import Checkpoint
    from featbank.datasets import Dataset
    from featbank.inputs.adapters import Adapted
    from featbank.sources.embed_options import EmbedOptions

_NO_ADAPTER = "none"


def with_trained_adapter(options: EmbedOptions, trained: Checkpoint | None) -> EmbedOptions:
    """The options, with the adapter that a checkpoint was trained with where none is named."""
    if trained is None or options.adapt != _NO_ADAPTER:
        return options
    return replace(options, adapt=_adapter_name(trained))


def trained_bands(
    wanted: str, options: EmbedOptions, dataset: Dataset, trained: Checkpoint | None
) -> str:
    """Bands to take: those that a checkpoint was trained on, by name, where none are named.

    Raises:
        ContractError: The dataset has not all of them.
    """
    names = [] if trained is None else _input_bands(trained)
    is_own = trained is not None and options.adapt == _adapter_name(trained)
    if trained is None or not names or wanted != "all" or not is_own:
        return wanted
    have = [band.name for band in dataset.bands]
    if set(names) <= set(have):
        return ",".join(names)
    raise ContractError(
        dataset.name,
        f"has bands {', '.join(have)}",
        f"{', '.join(names)}, on which checkpoint {trained.name} was trained",
        f"Name {len(names)} bands that stand for them with --bands, and pass --normalise dataset.",
    )


def trained_channels(
    options: EmbedOptions, dataset: Dataset, trained: Checkpoint | None
) -> Adapted | None:
    """The sums of bands that a checkpoint was trained on; None where it says nothing of them."""
    if trained is None or options.adapt != _adapter_name(trained):
        return None
    adapter = _inputs(trained).get("adapter")
    names = [band.name for band in dataset.bands]
    if not isinstance(adapter, dict) or names != _input_bands(trained):
        return None
    return followed_channels(ADAPTERS[options.adapt], dataset, Followed(recipe=trained.recipe))


def trained_statistics(
    trained: Checkpoint | None, channels: Sequence[Band], *, dataset: str
) -> Statistics:
    """The numbers that normalised a checkpoint's input.

    Raises:
        UsageError: The model is no checkpoint.
        ContractError: Other channels, or other units, than it was trained on.
    """
    if trained is None:
        raise UsageError(
            f"--normalise {OWN_STATISTICS}",
            "the model is no checkpoint of 'featbank pretrain'",
            "a model that keeps the statistics of its training",
            "Pass --normalise dataset, or another of its choices.",
        )
    known = [(str(band["name"]), str(band["unit"])) for band in trained.bands]
    given = [(band.name, str(band.unit)) for band in channels]
    if known != given:
        raise ContractError(
            dataset,
            f"gives bands {_in_words(given)}",
            f"{_in_words(known)}, on which checkpoint {trained.name} was trained",
            "Choose bands with --bands, or pass --normalise dataset to give it these in their "
            "place.",
        )
    numbers = trained.statistics
    return Statistics(
        method=OWN_STATISTICS,
        mean=tuple(numbers["mean"]),
        std=tuple(numbers["std"]),
        source=f"checkpoint {trained.name}: {numbers['source']}",
    )


def other_bands(trained: Checkpoint | None, channels: Sequence[Band]) -> str:
    """What a user must know where a checkpoint is given other bands than it knows; else empty."""
    if trained is None:
        return ""
    known = [str(band["name"]) for band in trained.bands]
    given = [band.name for band in channels]
    if known == given:
        return ""
    return f"the checkpoint was trained on {', '.join(known)} and is given {', '.join(given)}"


def _in_words(bands: Sequence[tuple[str, str]]) -> str:
    """``red, green, blue (uint8)``; units one by one where they differ."""
    units = {unit for _, unit in bands}
    if len(units) == 1:
        return f"{', '.join(name for name, _ in bands)} ({units.pop()})"
    return ", ".join(f"{name} ({unit})" for name, unit in bands)


def _inputs(trained: Checkpoint) -> Mapping[str, Any]:
    found: Mapping[str, Any] = trained.recipe.get("input", {})
    return found


def _input_bands(trained: Checkpoint) -> list[str]:
    own = [str(band["name"]) for band in trained.bands]
    return [str(name) for name in _inputs(trained).get("bands", own)]


def _adapter_name(trained: Checkpoint) -> str:
    adapter = _inputs(trained).get("adapter", _NO_ADAPTER)
    return str(adapter["name"] if isinstance(adapter, dict) else adapter)
