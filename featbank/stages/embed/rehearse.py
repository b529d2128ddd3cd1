"""Rehearsing an embed run: everything it would do and cost, from one timed batch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from featbank.inputs.reading import read_batch
from featbank.stages.embed.forward import forward_of
from featbank.store.state import is_finished

if TYPE_CHECKING:
    from featbank.stages.embed.plan import EmbedPlan


def rehearse(plan: EmbedPlan) -> dict[str, Any]:
    """What an embed run would do, in words and numbers; writes nothing."""
    dataset, inputs, layout = plan.imagery.dataset, plan.inputs, plan.layout
    row_bytes = sum(layout.row_bytes(name) for name in layout.names)
    chip_s = _seconds_a_chip(plan)
    return {
        "store": str(plan.path),
        "state": _state(plan),
        "dataset": f"{dataset.name}, {plan.n} samples, {dataset.processing}",
        "bands": ", ".join(f"{band.name} ({band.unit})" for band in dataset.bands),
        "model": f"{plan.spec.name}, weights: {plan.weights.origin}",
        "adapter": plan.adapted.name,
        "channels": ", ".join(band.name for band in plan.adapted.channels),
        "image_size": inputs.image_size or "native",
        "resize": plan.recipe["input"]["resize"],
        "normalise": inputs.statistics.method,
        "statistics": inputs.statistics.source,
        "mean": list(inputs.statistics.mean),
        "std": list(inputs.statistics.std),
        "features": f"{', '.join(layout.names)}; D = {layout.dim}; layers {list(layout.layers)}",
        "shard_rows": layout.shard_rows,
        "bytes": row_bytes * plan.n,
        "seconds": round(chip_s * plan.n, 1),
        "notes": list(plan.notes),
        "looked_at": len(plan.look.rows),
        "refused": {str(dataset.samples.ids[row]): why for row, why in plan.look.refused.items()},
    }


def _state(plan: EmbedPlan) -> str:
    if not plan.path.exists():
        return "new"
    return "finished" if is_finished(plan.path) else "unfinished; embed goes on"


def _seconds_a_chip(plan: EmbedPlan) -> float:
    forward = forward_of(plan)
    good = [row for row in plan.look.rows if row not in plan.look.refused]
    rows = good[: plan.batch_size]
    batch = read_batch(plan.imagery.dataset.reader, rows, plan.imagery.contract)
    for _ in range(2):  # The first pass also pays for compiling and allocating.
        start = time.perf_counter()
        for pending in forward.submit(batch):
            pending.result()
        seconds = time.perf_counter() - start
    return seconds / len(rows)
