"""DINOv2's linear evaluation, on features that are computed once."""

from __future__ import annotations

from featbank.probes.protocols.protocol import ProtocolSpec

# dinov2/eval/linear.py, --learning-rates; each is multiplied by batch / 256.
_RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1)
_VIEWS = {
    "1 block": (3,),
    "1 block + mean": (3, 4),
    "4 blocks": (0, 1, 2, 3),
    "4 blocks + mean": (0, 1, 2, 3, 4),
}

SPECS = (
    ProtocolSpec(
        name="dinov2-linear-frozen",
        summary="52 linear heads by SGD: 13 rates, CLS of 1 or 4 blocks, without and with the mean",
        probe="linear",
        params={"batch_size": 1024, "steps": 12_500, "across_passes": True},
        grid=tuple({"view": view, "lr": lr} for view in _VIEWS for lr in _RATES),
        parts=(("cls", -4), ("cls", -3), ("cls", -2), ("cls", -1), ("mean", -1)),
        views=_VIEWS,
        last_blocks=True,
        final_on=("train",),
        source="facebookresearch/dinov2, dinov2/eval/linear.py (b8931f7; lines as at 05c66df)",
        settled=(
            (
                "linear.py:148-154: 10 x 1,250 steps; a batch is 1,024, eight devices of 128, as "
                "the authors ran it (dinov2 #232)"
            ),
            "linear.py:179-191: CLS of the last 1 or 4 blocks, without and with the last mean",
            "linear.py:239-240: rates are multiplied by batch / 256, so by 4 however small the set",
            (
                "linear.py, run_eval_linear (SHARDED_INFINITE): batches run across passes, so "
                "that a set below 1,024 fills them more than once"
            ),
        ),
        unmet=(
            (
                "linear.py, run_eval_linear: the source crops and flips each image anew; features "
                "are frozen here and computed once"
            ),
            (
                "data/samplers.py, ShardedInfiniteSampler: eight devices take samples from eight "
                "fixed parts; here one stream takes all, and orders and first weights are other "
                "draws"
            ),
        ),
    ),
)
