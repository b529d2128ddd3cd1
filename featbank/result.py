"""Results: one metric of one probe on one split, in long form."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


# Fields that results must share for their values to stand in one ranking.
COMPARABLE = (
    "dataset",
    "label_set",
    "split_scheme",
    "test_store",
    "shots",
    "buffer_m",
    "metric",
    "average",
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row of the results table.

    Attributes:
        metric: Name in the metrics catalog; or ``threshold``, tuned for one label.
        value: The metric; NaN where it is undefined (no such sample).
        low: Lower end of the 95 % interval of this fitted probe on new samples or groups
            (``docs/intervals.md``); None where no interval is made.
        high: Upper end.
        n: Samples scored; in a row of one class, those of the class in truth.
        n_invalid: Samples of the split that were refused at the door and left out.
        n_train: Samples that the scored probe was fitted on.
        distance_min_m: Smallest distance in m from a test sample to one that the scored probe was
            fitted on; None where places are unknown.
        distance_median_m: Median over test samples of the distance to the nearest such sample.
        buffer_m: Distance in m to test samples within which none was fitted on; None for any.
        split: Split that was scored.
        split_scheme: How the samples were split, by the name that says what it keeps apart.
        split_alias: Other name of that scheme, such as ``random-0``; None where it has none.
        label_set: Nomenclature of the labels.
        class_name: Class that the row speaks of; None for an aggregate.
        average: ``macro``, ``micro``, ``weighted``, ``samples`` or None.
        threshold: What made decisions of scores: ``0.5``, ``tuned-f2``, ``top-5``,
            ``all-positive``, ``all-negative``; None where nothing did.
        by: Column whose values tell rows apart, such as ``country``; None for all samples.
        by_value: Its value in this row.
        probe: Name in the probes catalog.
        protocol: Named recipe of the probe.
        feature: Features that the probe saw, such as ``cls+mean``.
        layer: Block index that the features were taken from.
        params: The probe's parameters as JSON, chosen ones included.
        seed: Seed of everything random in the probe and the intervals.
        seeds: Fits that ``seed_sd`` is taken over; of a few-shot run, its draws.
        seed_sd: Standard deviation of the value over fits that differ by their seed alone, or over
            the draws of a few-shot run; None where nothing is random. ``value`` is that of
            ``seed``; of a few-shot run, the mean.
        shots: Training samples of each class; None for all.
        selected: Whether this is the headline row.
        resampled: What the interval takes as independent, and ``compare`` resamples: ``group`` or
            ``sample``.
        model: Backbone.
        weights: Origin of the backbone's weights, as the store says it.
        dataset: Dataset.
        store: Path of the store, or paths joined by `` + ``.
        test_store: Path of the store that was scored, where it is another.
        recipe: Id of the store's recipe.
        labels_sha256: Version of the labels and splits that were read.
        result: Id of the result that the row belongs to.
        device: What computed it: ``cpu``, or the name of the GPU; None of a result of an earlier
            version.
        dtype: Arithmetic that decided, such as ``float32``; None of an earlier version.
        note: What a reader must know beside the number.
    """

    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int
    n_invalid: int
    n_train: int
    split: str
    split_scheme: str
    split_alias: str | None = None
    distance_min_m: float | None = None
    distance_median_m: float | None = None
    buffer_m: float | None = None
    label_set: str
    class_name: str | None = None
    average: str | None = None
    threshold: str | None = None
    by: str | None = None
    by_value: str | None = None
    probe: str
    protocol: str
    feature: str
    layer: int
    params: str
    seed: int
    seeds: int = 1
    seed_sd: float | None = None
    shots: int | None = None
    selected: bool = False
    resampled: str
    model: str
    weights: str
    dataset: str
    store: str
    test_store: str | None = None
    recipe: str
    labels_sha256: str
    result: str
    device: str | None = None
    dtype: str | None = None
    note: str = ""

    def as_row(self) -> dict[str, Any]:
        """The row as a plain mapping; the column of ``class_name`` is called ``class``."""
        row = asdict(self)
        return {("class" if name == "class_name" else name): value for name, value in row.items()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Result:
        """The row of a table again; columns that an older table lacks take their defaults."""
        named = {("class_name" if name == "class" else name): v for name, v in row.items()}
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in named.items() if name in known}
        # Tables keep NaN as an empty cell.
        return cls(**kept | {"value": math.nan if kept["value"] is None else kept["value"]})
