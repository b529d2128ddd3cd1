"""Which samples two stores share, and how far one feature of theirs is apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SampleOverlap:
    """Which samples two stores hold.

    Attributes:
        by: What samples are joined on: ``sample_id`` or ``pair_id``.
        both: Samples in both.
        valid: Samples that both embedded; only these are compared.
        first_only: Samples that only the first store holds.
        second_only: Samples that only the second store holds.
        refused_first: Samples in both that only the first refused.
        refused_second: Samples in both that only the second refused.
    """

    by: str
    both: int
    valid: int
    first_only: int
    second_only: int
    refused_first: int
    refused_second: int


@dataclass(frozen=True, kw_only=True)
class FeatureDistance:
    """How far one feature of one layer is apart in two stores.

    Attributes:
        feature: Its name; two names where the stores share none.
        layer: Block index; two where the stores share none.
        dims: D in the first and in the second store.
        is_equal: Whether all numbers are equal to the last bit.
        max_abs: Largest absolute difference; None where D or the feature differ.
        mean_cosine: Mean cosine similarity of a sample's two features; None likewise.
        lowest_cosine: The lowest of them; None likewise.
        lowest_sample: Id of the sample that has it; None likewise.
        cka: Linear centred kernel alignment in [0, 1]; NaN where one side does not vary.
        overlap: Share of nearest neighbours in common, in [0, 1].
        neighbours: How many neighbours were taken.
    """

    feature: str
    layer: str
    dims: tuple[int, int]
    is_equal: bool
    max_abs: float | None = None
    mean_cosine: float | None = None
    lowest_cosine: float | None = None
    lowest_sample: str | None = None
    cka: float
    overlap: float
    neighbours: int
