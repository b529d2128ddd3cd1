"""A small network of one hidden layer, on standardised features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; the seed draws weights, order of samples and dropout."""
    from featbank.probes._mlp_classifier import MlpClassifier

    return MlpClassifier(**params, random_state=seed)


SPECS = (
    ProbeSpec(
        name="mlp",
        summary="one hidden layer of 512 GELU units, by AdamW, on standardised features",
        build=build,
        defaults={
            "hidden": 512,
            "dropout": 0.5,
            "lr": 1e-3,
            "weight_decay": 0.01,
            "batch_size": 256,
            "epochs": 20,
            "min_steps": 1000,
        },
        source="our own",
    ),
)
