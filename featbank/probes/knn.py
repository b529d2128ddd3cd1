"""k nearest neighbours: nothing is fitted, so it shows the features as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from featbank.image import Array
    from featbank.probes.probe import Candidate


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; it draws nothing at random, so the seed is not used."""
    from featbank.probes.fitting.knn_classifier import KnnClassifier

    return KnnClassifier(**params)


def fit_grid(candidates: Sequence[Candidate], X: Array, y: Array) -> Iterator[Classifier]:
    """Classifiers in order; those of one metric share a search at their greatest k."""
    from featbank.probes.fitting.knn_classifier import KnnClassifier, shared_search

    classifiers = [KnnClassifier(**params) for params, _ in candidates]
    searches = {
        metric: shared_search([c for c in classifiers if c.metric == metric], X)
        for metric in {classifier.metric for classifier in classifiers}
    }
    for classifier in classifiers:
        yield classifier.fit_shared(X, y, searches[classifier.metric])


SPECS = (
    ProbeSpec(
        name="knn",
        summary="softmax-weighted vote of the k most similar samples by cosine",
        build=build,
        defaults={
            "k": 20,
            "temperature": 0.07,
            "weights": "softmax",
            "metric": "cosine",
            "normalise_over": None,
        },
        fit_grid=fit_grid,
        # Candidates are found in float32 and compared without rounding; votes are float64.
        devices=("cpu", "cuda"),
        source="after facebookresearch/dinov2, dinov2/eval/knn.py: k 20 of its {10, 20, 100, 200}",
    ),
)
