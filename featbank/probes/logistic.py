"""Logistic regression on raw features, by L-BFGS to convergence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.probes.probe import Classifier, ProbeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

# Half decades: .25 points above whole decades on AID (ViT-Ti/16, 10 random splits), twice the time.
_STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def build(params: Mapping[str, Any], seed: int) -> Classifier:
    """An unfitted classifier; its optimum is unique, so the seed is not used."""
    from featbank.probes._logistic_classifier import LogisticClassifier

    return LogisticClassifier(**params)


SPECS = (
    ProbeSpec(
        name="logistic",
        summary="multinomial logistic regression with an L2 penalty, by L-BFGS",
        build=build,
        defaults={"C": 1.0, "max_iter": 1000, "tol": 1e-4},
        grid=tuple({"C": C} for C in _STRENGTHS),
        source="facebookresearch/dinov2, dinov2/eval/log_regression.py, with a coarser grid of C",
    ),
)
