"""DINOv2's logistic regression."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

_STRENGTHS = tuple(10 ** (-6 + 11 * i / 44) for i in range(45))

SPECS = (
    ProtocolSpec(
        name="dinov2-logreg",
        summary="CLS token, 45 strengths chosen on a tenth of train, float64, refitted on train",
        probe="logistic",
        params={"dtype": "float64", "max_iter": 1000, "tol": 1e-8},
        grid=tuple({"C": C} for C in _STRENGTHS),
        parts=(("cls", -1),),
        chosen_on=0.1,
        final_on=("train",),
        source="facebookresearch/dinov2, dinov2/eval/log_regression.py (b8931f7)",
        settled=(
            "the optimum is unique: our solver stops at a gradient of 1e-8, the source's at 1e-12",
            "the tenth is drawn by NumPy with seed 0; the source draws it by PyTorch",
        ),
    ),
)
