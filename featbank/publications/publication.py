"""What a publication is: a source, and the rows of its tables that bear on our datasets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One printed number.

    Attributes:
        dataset: Name in the datasets catalog.
        label_set: Nomenclature, as the dataset calls it.
        metric: Name in the metrics catalog.
        average: ``macro``, ``micro``; None of a metric that has one value, or where the source
            does not say.
        value: The number, as a share of 1.
        model: Backbone or method, with its bands.
        probe: What was fitted on it.
        note: What makes it differ from a result of ours: subset, split, supervision.
    """

    dataset: str
    label_set: str
    metric: str
    average: str | None
    value: float
    model: str
    probe: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PublicationSpec:
    """A catalog entry.

    Attributes:
        name: Short name that stands beside each number.
        source: Paper, or repository and file.
        rows: Its numbers.
    """

    name: str
    source: str
    rows: tuple[PublishedRow, ...]
