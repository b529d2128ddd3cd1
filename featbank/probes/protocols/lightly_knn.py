"""Lightly's k-NN benchmark."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

SPECS = (
    ProtocolSpec(
        name="lightly-knn",
        summary="k 200, weights exp(similarity / .1), fitted on train",
        probe="knn",
        params={"k": 200, "temperature": 0.1},
        final_on=("train",),
        source=(
            "lightly-ai/lightly, lightly/utils/benchmarking/knn_classifier.py (e8d317f); "
            "Wu et al. 2018, arXiv:1805.01978"
        ),
        settled=(
            (
                "knn.py, knn_predict: weights are divided by their sum here, which changes no "
                "order of the classes"
            ),
            "knn_classifier.py, KNNClassifier: features of unit length, float32, as by default",
        ),
        unmet=(
            (
                "knn.py, knn_predict: the source takes one class a sample; several labels each "
                "add up the same weights"
            ),
        ),
    ),
)
