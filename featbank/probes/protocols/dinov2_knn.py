"""DINOv2's k-NN evaluation."""

from __future__ import annotations

from featbank.probes.protocols.protocol import FewShotRule, ProtocolSpec

_K = (10, 20, 100, 200)

SPECS = (
    ProtocolSpec(
        name="dinov2-knn",
        summary="CLS token, k 10, 20, 100, 200, weights softmax(similarity / .07) of the first 200",
        probe="knn",
        params={"temperature": 0.07, "normalise_over": max(_K)},
        grid=tuple({"k": k} for k in _K),
        parts=(("cls", -1),),
        final_on=("train",),
        tells_all=True,
        few_shot=FewShotRule(k_within_shots=True, takes_short_classes=True, drawn_by="torch"),
        source="facebookresearch/dinov2, dinov2/eval/knn.py (b8931f7)",
        settled=(
            "the source reports every k; the headline is the k that is best on validation",
            "the source takes one class a sample; several labels each add up the same weights",
        ),
    ),
)
