"""A forest of bounded trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; the seed draws the samples and features of each tree."""
    from featbank.probes.fitting.forest_classifier import ForestClassifier

    return ForestClassifier(**params, random_state=seed)


SPECS = (
    ProbeSpec(
        name="forest",
        summary="200 extremely randomised trees of at most 1,024 leaves, so that memory is bounded",
        build=build,
        is_random=True,
        defaults={
            "kind": "extra-trees",
            "trees": 200,
            "max_leaves": 1024,
            "max_samples": 20_000,
        },
        source="Geurts et al. 2006, doi:10.1007/s10994-006-6226-1; our own bounds",
    ),
)
