"""A backbone by what the user typed: a catalog name, a checkpoint, ``hf:<id or folder>``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.backbones import BACKBONES
from featbank.errors import UsageError
from featbank.sources.checkpoint_opening import checkpoint_backbone, find_checkpoint
from featbank.sources.loaded_weights import HUB_PREFIX
from featbank.sources.weights import RANDOM, folder_file

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.sources.embed_options import EmbedOptions


def named_backbone(options: EmbedOptions) -> tuple[BackboneSpec, EmbedOptions]:
    """The backbone meant, and the options with its weights where its name holds them.

    Raises:
        UnknownNameError: Neither in the catalog nor a checkpoint.
        UsageError: ``--weights`` beside a name that holds them.
        MissingPathError: A folder without ``config.json``.
        DownloadError: A hub id that the hub does not give.
        WeightsError: A model of a family that is not known.
    """
    if options.model in BACKBONES:
        return BACKBONES[options.model], options
    checkpoint = find_checkpoint(options.model, options.bank)
    if checkpoint is not None:
        return checkpoint_backbone(checkpoint, options)
    from featbank.backbones.building.hub_spec import hub_spec
    from featbank.downloads.hub import hub_folder

    if options.weights not in (None, RANDOM):
        raise UsageError(
            f"--weights {options.weights}",
            f"--model {options.model} names its weights itself",
            "one of the two",
            "Leave --weights out, or name a model of 'featbank models'.",
        )
    named = options.model.removeprefix(HUB_PREFIX)
    folder = Path(named)
    if not folder.is_dir():
        folder = hub_folder(named, may_download=True)
    # Where a folder stood on one machine says nothing on another.
    short = folder.resolve().name if Path(named).is_dir() else named
    spec = hub_spec(f"{HUB_PREFIX}{short}", folder_file(folder, name=named))
    return spec, replace(options, weights=options.weights or str(folder))
