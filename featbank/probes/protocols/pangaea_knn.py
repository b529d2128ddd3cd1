"""PANGAEA's k-NN probe."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

SPECS = (
    ProtocolSpec(
        name="pangaea-knn",
        summary="mean tokens of four layers joined, k 200, weights exp(similarity / .1)",
        probe="knn",
        params={"k": 200, "temperature": 0.1},
        parts=(("mean_raw", -4), ("mean_raw", -3), ("mean_raw", -2), ("mean", -1)),
        final_on=("train",),
        top=5,
        of_several=("f1", "micro"),
        source="VMarsocci/pangaea-bench, pangaea/decoders/knnclassifier.py (f20f3d3)",
        settled=(
            "the four layers are the last four of the store; the source names them by backbone",
            "features are float32; the source rounds them to float16",
            "of several labels the 5 most probable are decided for; the source takes 5 or 10",
        ),
    ),
)
