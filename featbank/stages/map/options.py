"""What a user may ask of ``featbank map``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from featbank.catalog import suggest
from featbank.errors import UnknownNameError, UsageError
from featbank.ranges import at_least, require, seed_check
from featbank.samples import SPLITS

# Above this a layout takes minutes and more memory than it shows; umap-learn's own users fit a
# sample and place the rest from about here on.
FIT_SAMPLES = 100_000


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """Options of ``featbank map``.

    Attributes:
        projection: Name in the projections catalog.
        store: Path of the store; None finds it by model and dataset, or takes the newest.
        model: Backbone of the store.
        dataset: Dataset of the store.
        features: ``cls``, ``mean``, ``cls+mean``; None takes the backbone's default.
        layer: Block index; None takes the last one stored.
        split: Split that alone is mapped; None maps all samples.
        split_scheme: Scheme of ``split``; None takes the first.
        labels: Label set of the neighbour purity; None takes the first.
        neighbors: Neighbours of a sample in the graph, itself among them; None as the projection.
        min_dist: Least distance of samples on the map; None as the projection.
        epochs: Passes of the layout; None as the projection.
        fit_samples: Samples that the layout is fitted on; the rest is placed into it.
        seed: Seed of the layout and of the queries that measure its quality.
        again: Whether to make a map anew that stands in the bank.
        bank: Folder of the bank.
    """

    projection: str = "umap"
    store: Path | None = None
    model: str | None = None
    dataset: str | None = None
    features: str | None = None
    layer: int | None = None
    split: str | None = None
    split_scheme: str | None = None
    labels: str | None = None
    neighbors: int | None = None
    min_dist: float | None = None
    epochs: int | None = None
    fit_samples: int = FIT_SAMPLES
    seed: int = 0
    again: bool = False
    bank: Path = Path("bank")

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the projection that are asked for."""
        asked = {name: getattr(self, name) for name in ("neighbors", "min_dist", "epochs")}
        return {name: value for name, value in asked.items() if value is not None}


def require_sound(options: MapOptions) -> None:
    """Refuse what no projection can be asked for.

    Raises:
        UsageError: A number out of range, or a scheme without a split.
        UnknownNameError: No split has this name.
    """
    require((at_least("--fit-samples", options.fit_samples, 2), seed_check(options.seed)))
    if options.split is not None and options.split not in SPLITS:
        raise UnknownNameError(
            options.split,
            "no split has this name",
            f"one of {', '.join(SPLITS)}",
            suggest(options.split, SPLITS),
        )
    if options.split_scheme is not None and options.split is None:
        raise UsageError(
            "--split-scheme",
            "no split is named, so all samples are mapped",
            "--split beside it",
            "Name a split, or leave it out.",
        )
