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
        source="facebookresearch/dinov2, dinov2/eval/knn.py (b8931f7; lines as at 05c66df)",
        settled=(
            "knn.py:184-191: softmax over the most neighbours asked for, cut off at each k",
            "knn.py:191: the source reports every k; the k that is best on validation stands first",
            (
                "knn.py:220-222: of few shots only k up to the shots, and k = shots, are tried; "
                "the chosen one is told"
            ),
            (
                "knn.py:233-239: shots are drawn by PyTorch, seed = try; a class that has fewer "
                "gives all"
            ),
            (
                "facebookresearch/dino, eval_knn.py: exp in place of softmax gives the same "
                "classes at every k"
            ),
        ),
        unmet=(
            (
                "knn.py:187-190: the source takes one class a sample; several labels each add up "
                "the same weights"
            ),
            (
                "eval_knn.py: top-5 of few neighbours, where classes without a vote are equal: "
                "their order is that of a sort"
            ),
        ),
    ),
)
