"""What a user may ask of ``featbank report``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

THUMBNAILS = 5_000
# What a browser's software renderer still pans without stutter, and a page of 10 MB still holds.
MAX_POINTS = 100_000
FORMATS = ("html", "md", "latex")


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Options of ``featbank report``.

    Attributes:
        results: Ids of results, or their first digits; () takes all of the dataset.
        dataset: Dataset; None takes that of ``store``, of the results, or of the newest store.
        store: Store whose samples the map shows; None takes the newest of the dataset.
        labels: Label set that results must have; None takes all, and the store's first for maps.
        split_scheme: Split scheme that results must have; None takes all.
        by: Column that the map is coloured by at first; None takes the labels.
        map: Id of a map or its first digits, ``umap``, ``pca`` or ``none``; None takes the newest
            of the store, or makes a UMAP where there is none.
        thumbnails: Chips that get a picture on the map, at most.
        max_points: Samples on the map, at most.
        title: Title of the page; None names the dataset.
        out: File to write; None takes ``<bank>/reports/<dataset>.<suffix>``.
        format: ``html``, ``md`` or ``latex``.
        seed: Seed of which samples are shown where there are too many.
        bank: Folder of the bank.
    """

    results: tuple[str, ...] = ()
    dataset: str | None = None
    store: Path | None = None
    labels: str | None = None
    split_scheme: str | None = None
    by: str | None = None
    map: str | None = None
    thumbnails: int = THUMBNAILS
    max_points: int = MAX_POINTS
    title: str | None = None
    out: Path | None = None
    format: str = "html"
    seed: int = 0
    bank: Path = Path("bank")
