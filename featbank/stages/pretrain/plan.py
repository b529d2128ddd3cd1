"""Everything that a pretraining run needs, settled before its first step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.bands import Band
    from featbank.inputs.preprocess import InputRecipe
    from featbank.methods.method import Length, MethodRequest, MethodSpec
    from featbank.methods.views.crop_recipe import CropRecipe
    from featbank.sources.fitting import Imagery, ImageryLook
    from featbank.stages.pretrain.options import PretrainOptions


@dataclass(frozen=True, kw_only=True)
class PretrainPlan:
    """A pretraining run, settled.

    Attributes:
        options: As the user said.
        method: The method's record.
        hyper: Its hyper-parameters, the user's in place of the published ones.
        request: What the method is built from: architecture, first weights, teacher.
        imagery: The dataset as the run reads it.
        rows: Rows of the dataset that are trained on.
        look: What a sample of the imagery showed.
        inputs: How pixels become channels: at native size, normalised.
        channels: Bands that the network is given.
        crops: Views of a chip.
        length: Steps, epochs, batch.
        compute_dtype: ``bfloat16`` for autocast, or ``float32``.
        recipe: Everything that decides the checkpoint.
        path: The checkpoint's folder; its name is the checkpoint's.
        notes: What a user must know, a sentence each.
        origin: What it starts from, in words.
        licence: Licence of what it starts from; empty where at random.
        saw: What the checkpoint will have seen, as ``Checkpoint.saw`` tells it, with what the
            weights it starts from saw before.
        seen: Sorted ids of those chips by dataset, for ``write_checkpoint(..., seen=...)``.
        command: The command that makes it, for people; no path of this machine.
    """

    options: PretrainOptions
    method: MethodSpec
    hyper: Mapping[str, Any]
    request: MethodRequest
    imagery: Imagery
    rows: NDArray[Any]
    look: ImageryLook
    inputs: InputRecipe
    channels: tuple[Band, ...]
    crops: tuple[CropRecipe, ...]
    length: Length
    compute_dtype: str
    recipe: dict[str, Any]
    path: Path
    notes: tuple[str, ...] = ()
    origin: str = ""
    licence: str = ""
    saw: tuple[Mapping[str, Any], ...] = ()
    seen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    command: str = ""
