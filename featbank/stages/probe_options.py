"""What a user may ask of ``featbank probe``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """Options of ``featbank probe``.

    Attributes:
        clf: Name of the probe.
        store: Path of the store; None finds it by model and dataset, or takes the newest.
        model: Backbone of the store.
        dataset: Dataset of the store.
        features: ``cls``, ``mean``, ``cls+mean``; None takes the backbone's default.
        layer: Block index; None takes the last one stored.
        labels: Label set; None takes the first.
        split_scheme: Split scheme; None takes the first.
        params: Parameters that are fixed instead of the protocol's own, such as ``k``.
        seed: Seed of the probe, of a carved validation split and of the bootstrap.
        resamples: Bootstrap resamples.
        confusion: Whether a confusion matrix is wanted, which is refused before any fit where a
            sample may bear several labels.
        bank: Folder of the bank.
    """

    clf: str
    store: Path | None = None
    model: str | None = None
    dataset: str | None = None
    features: str | None = None
    layer: int | None = None
    labels: str | None = None
    split_scheme: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    resamples: int = 1000
    confusion: bool = False
    bank: Path = Path("bank")
