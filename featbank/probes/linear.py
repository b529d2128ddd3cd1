"""A linear layer by SGD, its learning rate swept as in DINOv2's linear probe; cached features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from featbank.image import Array
    from featbank.probes.probe import Candidate

# dinov2/eval/linear.py, --learning-rates; each is multiplied by batch / 256.
# Rates at which a set diverges drop out of the sweep.
_RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1)

# Small sets need more than 10 passes: on AID (1,800 samples, ViT-Ti/16) 500, 1,000 and 3,000 steps
# gave .835, .837 and .838 on test.
_MIN_STEPS = 1000


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; the seed draws its weights and the order of samples."""
    from featbank.probes.fitting.linear_classifier import LinearClassifier

    return LinearClassifier(**params, random_state=seed)


def fit_grid(candidates: Sequence[Candidate], X: Array, y: Array) -> Iterator[Classifier]:
    """Fitted classifiers of all candidates, in one pass over the features for each seed."""
    from featbank.probes.fitting.linear_classifier import LinearClassifier, fit_heads

    heads = [LinearClassifier(**params, random_state=seed) for params, seed in candidates]
    yield from fit_heads(heads, X, y)


def dtype(params: Mapping[str, Any], device: str, dim: int) -> str:
    """Of the steps; probabilities are float64."""
    return "float32"


SPECS = (
    ProbeSpec(
        name="linear",
        summary="linear layer by SGD, learning rate swept as DINOv2's, on cached features",
        build=build,
        fit_grid=fit_grid,
        devices=("cpu", "cuda"),
        dtype=dtype,
        # Samples and weights are drawn alike; sums of float32 are not in one order.
        agreement=0.99,
        is_random=True,
        defaults={
            "lr": 0.01,
            "batch_size": 256,
            "epochs": 10,
            "min_steps": _MIN_STEPS,
            "steps": None,
            "across_passes": False,
            "columns": None,
        },
        grid=tuple({"lr": lr} for lr in _RATES),
        source=(
            "after facebookresearch/dinov2, dinov2/eval/linear.py: rates, momentum .9, no weight "
            "decay, cosine to 0, 10 epochs (ours 1,000 steps at least); but batches are of 256, "
            "and features are frozen and cached, so no image is augmented"
        ),
    ),
)
