"""torchgeo-bench: its k-NN and its linear probe."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

_STRENGTHS = tuple(10 ** (-6 + 10 * i / 39) for i in range(40))
_RESAMPLES = 200

_INTERVAL = (
    "bootstrap.py, bootstrap_accuracy, bootstrap_map: its intervals are percentiles of 200 "
    "resamples of samples, seed 0; ours are Wilson's: of proportions without groups of "
    "the samples, of all else from leaving out at most 200 parts, whole groups where there are any"
)

SPECS = (
    ProtocolSpec(
        name="torchgeo-bench-knn5",
        summary="the 5 nearest by Euclidean distance of raw features, equal votes",
        probe="knn",
        params={"k": 5, "metric": "euclidean", "weights": "uniform"},
        final_on=("train",),
        of_several=("map", "micro"),
        resamples=_RESAMPLES,
        source="torchgeo/torchgeo-bench 0660813, src/torchgeo_bench/knn.py",
        settled=(
            "knn.py, KNNClassifier: fitted on train alone",
            "main.py, evaluate_knn: of several labels micro mAP stands first",
        ),
        unmet=(
            _INTERVAL,
            "main.py, evaluate_knn: its calibration errors are over 6 bins (k + 1), ours over 15",
        ),
    ),
    ProtocolSpec(
        name="torchgeo-bench-linear",
        summary="logistic regression as its L-BFGS stops, 40 strengths, refitted on train + val",
        probe="logistic",
        params={"solver": "lbfgs", "max_iter": 2000, "tol": 1e-7},
        grid=tuple({"C": C} for C in _STRENGTHS),
        final_params={"max_iter": 4000},
        of_several=("map", "micro"),
        resamples=_RESAMPLES,
        source=(
            "torchgeo/torchgeo-bench 0660813, src/torchgeo_bench/linear.py (lines as at 241b178): "
            "cross-entropy / n + |W|^2 / (2 C n), L-BFGS"
        ),
        settled=(
            (
                "linear.py:149-157: its tol of 1e-6 ends the descent where the loss changes by "
                "less than 1e-7 in float32; so here, by the same steps: the optimum is --clf "
                "logistic's"
            ),
            "linear.py:138-147: several labels are one descent, the mean over samples and labels",
            (
                "main.py, evaluate_logistic: C is the first best on validation, by accuracy or, "
                "of several labels, by micro mAP, which stands first; refitted on train + "
                "validation"
            ),
        ),
        unmet=(
            (
                "linear.py:149-157: where a float32 descent stops hangs on rounding, so on the "
                "order of the samples: up to 2 of 600 predictions differed from its own"
            ),
            "linear.py:72-74: on a GPU the source rounds products to TF32; here they are float32",
            (
                "main.py, evaluate_logistic: its temperature is fitted on validation that the "
                "final model has seen; ours is fitted on scores of samples that their probe has "
                "not seen"
            ),
            _INTERVAL,
        ),
    ),
)
