"""torchgeo-bench: its k-NN and its linear probe."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

_STRENGTHS = tuple(10 ** (-6 + 10 * i / 39) for i in range(40))
_RESAMPLES = 200

SPECS = (
    ProtocolSpec(
        name="torchgeo-bench-knn5",
        summary="the 5 nearest by Euclidean distance of raw features, equal votes",
        probe="knn",
        params={"k": 5, "metric": "euclidean", "weights": "uniform"},
        final_on=("train",),
        of_several=("map", "micro"),
        resamples=_RESAMPLES,
        source="torchgeo/torchgeo-bench 0660813",
        settled=("fitted on train alone, as the other k-NN protocols",),
    ),
    ProtocolSpec(
        name="torchgeo-bench-linear",
        summary="logistic regression on raw features, 40 strengths, refitted on train + validation",
        probe="logistic",
        params={"solver": "lbfgs", "max_iter": 2000, "tol": 1e-7},
        grid=tuple({"C": C} for C in _STRENGTHS),
        final_params={"max_iter": 4000},
        of_several=("map", "micro"),
        resamples=_RESAMPLES,
        source="torchgeo/torchgeo-bench 0660813: cross-entropy / n + |W|^2 / (2 C n), L-BFGS",
    ),
)
