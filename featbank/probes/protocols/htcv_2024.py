"""The study of DOFA on BigEarthNet-S1 (HTCV 2024): forest, linear layer and MLP."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

_SOURCE = "DOFA, Hot Topics in Computer Vision 2024 (report on BigEarthNet-S1), section 5"
_OPEN = (
    "the report names no settings of its classifiers; these are featbank's own, so extra trees",
    "it names neither thresholds nor validation; nothing is chosen, thresholds are 0.5 and tuned",
)


def _spec(probe: str, summary: str) -> ProtocolSpec:
    return ProtocolSpec(
        name=f"htcv-2024-{probe}",
        summary=f"{summary}, fitted on train; absent classes count 0",
        probe=probe,
        final_on=("train",),
        absent_as_zero=True,
        family="htcv-2024",
        source=_SOURCE,
        settled=_OPEN,
    )


SPECS = (
    _spec("forest", "extremely randomised trees"),
    _spec("linear", "linear layer"),
    _spec("mlp", "one hidden layer"),
)
