"""What a user may say about predicting, exactly as said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Options of ``featbank predict``.

    Attributes:
        probe: Result id or its beginning, or the folder of a saved probe.
        source: A store's path, a dataset's catalog name, or a folder of images.
        out: File to write, ``.csv`` or ``.parquet``; None names it after dataset
            and probe, in the folder ``predictions`` of the bank.
        write: Whether to write a file at all.
        overwrite: Whether to write over any other file.
        threshold: Name of the thresholds that decide on labels; None takes 0.5.
        weights: File of the backbone's weights, where it is not found by itself.
        answers: What the weights do not tell; those of the probe's store, which they may repeat.
        data_root: Folder of a named dataset.
        splits: Split lists of a named dataset.
        chips: Number of chips of a procedural dataset.
        limit: Samples of each split to take; None for all.
        download: Whether to fetch imagery and weights that are not on this machine.
        batch_size: Chips of one forward pass; None takes 64, on a GPU 256.
        workers: Reader processes; None takes one for each core but one.
        max_invalid: Share of refused images above which the run stops, 0 to 1.
        device: ``auto``, ``cpu`` or ``cuda``.
        bank: Folder of the bank.
    """

    probe: str
    source: str
    out: Path | None = None
    write: bool = True
    overwrite: bool = False
    threshold: str | None = None
    weights: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    data_root: Path | None = None
    splits: Path | None = None
    chips: int | None = None
    limit: int | None = None
    download: bool = False
    batch_size: int | None = None
    workers: int | None = None
    max_invalid: float = 0.01
    device: str = "auto"
    bank: Path = Path("bank")
