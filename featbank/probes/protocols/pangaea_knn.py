"""PANGAEA's k-NN probe."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

SPECS = (
    ProtocolSpec(
        name="pangaea-knn",
        summary="mean tokens of four layers joined, the last normed; k 200, exp(similarity / .1)",
        probe="knn",
        params={"k": 200, "temperature": 0.1},
        parts=(("mean_raw", -4), ("mean_raw", -3), ("mean_raw", -2), ("mean", -1)),
        final_on=("train",),
        top=5,
        of_several=("f1", "micro"),
        source=(
            "VMarsocci/pangaea-bench (f20f3d3), pangaea/decoders/knnclassifier.py (lines as at "
            "8f91c83), pangaea/encoders/vit_encoder.py, pangaea/encoders/dofa_encoder.py"
        ),
        settled=(
            (
                "vit_encoder.py:95-100, dofa_encoder.py: the network's last block is normed, the "
                "others are read as they are, so three of mean_raw and one of mean"
            ),
            (
                "configs/encoder/*.yaml, output_layers: the source names four blocks by backbone "
                "(3, 5, 7, 11 of 12); the last four of the store are read: embed with --layers "
                "3,5,7,11 for those, and end with the last block, whose norm is the network's own"
            ),
            (
                "knnclassifier.py:59, 70-75: weights are divided by their sum here, which changes "
                "no order of the classes"
            ),
            (
                "of several labels the 5 most probable are decided for, and micro F1 stands "
                "first; the source takes 5 or 10 by dataset"
            ),
        ),
        unmet=(
            (
                "knnclassifier.py:90: the source rounds features to float16, these are float32; "
                "of several labels its float16 sums of 200 weights exp(cosine / .1) pass 65,504 "
                "once cosines pass .58, and all its scores become 0 there"
            ),
            (
                "dofa_encoder.py: where the weights hold a norm of the mean alone (fc_norm), the "
                "source's last norm is untrained; mean is the network's own"
            ),
        ),
    ),
)
