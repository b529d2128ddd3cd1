"""What a user may say about embedding, exactly as said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Enough rows to keep a CPU's matrix kernels full; larger batches gain nothing and grow memory.
# Chips of one forward pass where nobody says: a GPU works on more at once, and what the main
# thread does for a batch is shared by more of them.
BATCHES = {"cpu": 64, "cuda": 256}

# Stored only if asked for by name; patch and register tokens have options of their own.
EXTRA_FEATURES = ("mean_raw",)


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A recipe whose numbers an embed run takes as they are, instead of fitting its own.

    Attributes:
        recipe: The embed recipe.
        state: Fitted state of the backbone; empty where it is not fitted.
        weights: Where the backbone's weights came from, in words.
        fitted_scheme: Split scheme that the numbers were fitted on; '' where nothing was.
        command: What makes the store, for people.
    """

    recipe: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    fitted_scheme: str = ""
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """Options of ``featbank embed``.

    Attributes:
        model: Catalog name.
        dataset: Catalog name, or path of a folder.
        weights: Path of a weights file or of a transformers folder, a hub id, ``random``, or
            None for the publisher's own.
        adapt: Name in the adapters catalog.
        wavelengths: Centre wavelengths in µm, one a channel, instead of the checkpoint's, or a
            text as ``featbank.inputs.wavelengths`` reads it; ``descriptions`` takes those that the
            images give their bands; None for the checkpoint's.
        answers: What the weights do not tell, by the names that the model's family declares:
            ``part``, ``heads``, ``positions``, ``reshape``.
        dofa_reshape: The answer ``reshape``, by its older name.
        positions: The answer ``positions``, likewise.
        bands: ``all``, ``rgb``, a sensor, or names.
        normalise: Name in ``featbank.inputs.normalise.METHODS``; None for the backbone's own.
        image_size: Side in pixels; None for the backbone's own.
        resize: ``bicubic``, ``bilinear`` or ``nearest``.
        layers: Block indices, negative ones from the end.
        features: Features to store beside those that are always stored, among ``EXTRA_FEATURES``.
        tokens: Whether to store patch tokens, and label maps where the dataset has them.
        registers: Whether to store register tokens.
        dtype: Compute dtype, ``auto``, ``bfloat16`` or ``float32``.
        store_dtype: ``float32`` or ``float16``.
        batch_size: Chips of one forward pass; None takes 64, on a GPU 256.
        shard_rows: Rows of a shard, a power of two; None derives it.
        workers: Reader processes; None takes one for each core but one.
        split_scheme: Scheme whose train split statistics are fitted on; None for the first.
        limit: Samples of each split to take; None for all.
        max_invalid: Share of refused samples above which the run stops, 0 to 1.
        max_missing: Share of pixels missing in any band above which a chip is refused, 0 to 1.
        chips: Number of chips of a procedural dataset.
        seed: Seed of random weights and of fitted samples.
        data_root: Folder of a named dataset.
        splits: Split lists, a file or a folder; None takes those beside the imagery.
        unit: What the numbers of a folder of images are, among ``featbank.sources.units.UNITS``;
            None for what the files tell.
        download: Whether to fetch imagery and weights that are not on this machine.
        bank: Folder of the bank.
        device: ``auto``, ``cpu`` or ``cuda``.
        deterministic: Whether torch must use deterministic algorithms alone.
        compile: Whether the network's blocks are compiled.
        follow: Recipe to follow: nothing is fitted, and images need no labels.
    """

    model: str
    dataset: str
    weights: str | None = None
    adapt: str = "none"
    wavelengths: tuple[float, ...] | str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    dofa_reshape: str | None = None
    positions: str | None = None
    bands: str = "all"
    normalise: str | None = None
    image_size: int | None = None
    resize: str = "bicubic"
    layers: tuple[int, ...] = (-1,)
    features: tuple[str, ...] | str = ()
    tokens: bool = False
    registers: bool = False
    dtype: str = "auto"
    store_dtype: str = "float32"
    batch_size: int | None = None
    shard_rows: int | None = None
    workers: int | None = None
    split_scheme: str | None = None
    limit: int | None = None
    max_invalid: float = 0.01
    max_missing: float = 0.5
    chips: int | None = None
    seed: int = 0
    data_root: Path | None = None
    splits: Path | None = None
    unit: str | None = None
    download: bool = False
    bank: Path = Path("bank")
    device: str = "auto"
    deterministic: bool = False
    compile: bool = False
    follow: Followed | None = None
