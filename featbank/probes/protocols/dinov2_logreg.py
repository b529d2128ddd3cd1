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
        source=(
            "facebookresearch/dinov2, dinov2/eval/log_regression.py (b8931f7; lines as at 05c66df)"
        ),
        settled=(
            "log_regression.py:42-43: 45 strengths from 1e-6 to 1e5, at most 1,000 steps",
            (
                "log_regression.py:129-136: the optimum is unique: our solver stops at a gradient "
                "of 1e-8, the source's at 1e-12"
            ),
            "log_regression.py, eval_log_regression: refitted on train, the tenth included",
        ),
        unmet=(
            (
                "log_regression.py:305-308: the source draws the tenth by PyTorch on its device; "
                "it is drawn by NumPy here, with seed 0 too"
            ),
        ),
    ),
)
