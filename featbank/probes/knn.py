"""k nearest neighbours: nothing is fitted, so it shows the features as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; it draws nothing at random, so the seed is not used."""
    from featbank.probes._knn_classifier import KnnClassifier

    return KnnClassifier(**params)


SPECS = (
    ProbeSpec(
        name="knn",
        summary="softmax-weighted vote of the k most similar samples by cosine",
        build=build,
        defaults={"k": 20, "temperature": 0.07},
        source="facebookresearch/dinov2, dinov2/eval/knn.py: k 20 of its {10, 20, 100, 200}",
    ),
)
