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
            "weights are divided by their sum, which changes no order of the classes",
            "the source takes one class a sample; several labels each add up the same weights",
        ),
    ),
)
