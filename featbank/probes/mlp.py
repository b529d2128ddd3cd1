"""A small network of one hidden layer, on standardised features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from featbank.image import Array
    from featbank.probes.probe import Candidate

# Most regularised first. Validation accuracy on AID (ViT-Ti/16) was within .01 of the best for all
# three, for decays of .01 and .5, and for 250 and 500 steps; a rate of 3e-4 lost .01.
_DROPOUTS = (0.8, 0.5, 0.2)


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; the seed draws weights, order of samples and dropout."""
    from featbank.probes._mlp_classifier import MlpClassifier

    return MlpClassifier(**params, random_state=seed)


def fit_grid(candidates: Sequence[Candidate], X: Array, y: Array) -> Iterator[Classifier]:
    """Fitted classifiers of all candidates, trained side by side."""
    from featbank.probes._mlp_classifier import MlpClassifier
    from featbank.probes._mlp_grid import fit_networks

    probes = [MlpClassifier(**params, random_state=seed) for params, seed in candidates]
    yield from fit_networks(probes, X, y)


SPECS = (
    ProbeSpec(
        name="mlp",
        summary="one hidden layer of 512 GELU units, by AdamW, on standardised features",
        build=build,
        fit_grid=fit_grid,
        is_random=True,
        defaults={
            "hidden": 512,
            "dropout": 0.5,
            "lr": 1e-3,
            "weight_decay": 0.01,
            "batch_size": 256,
            "epochs": 10,
            "min_steps": 500,
            "patience": None,
            "validation_share": 0.1,
            "class_weight": None,
            "focal": None,
        },
        grid=tuple({"dropout": dropout} for dropout in _DROPOUTS),
        source="our own: values at which AID (ViT-Ti/16) is no worse than by logistic regression",
    ),
)
