"""Logistic regression on raw features, by L-BFGS to a small gradient or a limit of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from featbank.image import Array
    from featbank.probes.probe import Candidate

# Half decades: .25 points above whole decades on AID (ViT-Ti/16, 10 random splits), twice the time.
_STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)

# On AID (ViT-Ti/16) fits stopped at a gradient of 1e-4 are up to 3 points off the optimum's
# accuracy where C >= .3; at 1e-5 one sample at most.
_TOL = 1e-5


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; its optimum is unique, so the seed is not used."""
    from featbank.probes.fitting.logistic_classifier import LogisticClassifier

    return LogisticClassifier(**params)


def fit_grid(candidates: Sequence[Candidate], X: Array, y: Array) -> Iterator[Classifier]:
    """Fit all candidates, those that differ in C alone as one problem."""
    from featbank.probes.fitting.logistic_classifier import LogisticClassifier, fit_together

    return fit_together([LogisticClassifier(**params) for params, _ in candidates], X, y)


def dtype(params: Mapping[str, Any], device: str, dim: int) -> str:
    """Of the solver; probabilities are float64."""
    return str(params["dtype"])


SPECS = (
    ProbeSpec(
        name="logistic",
        summary="logistic regression with an L2 penalty by L-BFGS: multinomial, or one a label",
        build=build,
        defaults={
            "C": 1.0,
            "max_iter": 1000,
            "tol": _TOL,
            "dtype": "float32",
            "solver": "optimum",
        },
        grid=tuple({"C": C} for C in _STRENGTHS),
        fit_grid=fit_grid,
        devices=("cpu", "cuda"),
        dtype=dtype,
        # The optimum is one; at a gradient of 1e-5 one sample in 1,000 is decided otherwise.
        agreement=0.999,
        source=(
            "after facebookresearch/dinov2, dinov2/eval/log_regression.py, with a coarser grid of "
            "C, in float32"
        ),
    ),
)
