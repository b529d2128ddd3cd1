"""Fine-tuning a backbone with labels: a checkpoint, and results by the metrics of probes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from featbank.backbones.building.vit_build import network_config
from featbank.bank.bank import write_atomically
from featbank.bank.checkpoints import (
    LOG,
    SEEN_IMAGES,
    Checkpoint,
    band_records,
    is_checkpoint,
    read_heads,
    write_checkpoint,
)
from featbank.bank.environment import environment
from featbank.bank.lock import locked
from featbank.device import pick_device
from featbank.layers.drop_path import set_drop_path
from featbank.recipes.recipe import recipe_id
from featbank.sources.selection import fingerprint
from featbank.stages.embed.attributes import settled_answer_words
from featbank.stages.embed.forward import encoder_of
from featbank.stages.finetune.chips import LabelledChips
from featbank.stages.finetune.network import (
    FinetuneNetwork,
    as_vision_transformer,
    choose_trained,
)
from featbank.stages.finetune.scoring import score_network
from featbank.stages.finetune.training import Best, Epoch, FineTuning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.stages.finetune.plan import FinetunePlan
    from featbank.stages.probe.run import ProbeReport

    Progress = Callable[[int, int], None]

_WEIGHT, _BIAS = "head.weight", "head.bias"


@dataclass(frozen=True, kw_only=True)
class FinetuneReport:
    """What a run gave.

    Attributes:
        checkpoint: The checkpoint's folder.
        epochs: How each epoch went; none where the checkpoint stood there already.
        kept: Number of the epoch whose weights are kept.
        trained: Number of parameters that learned.
        parameters: Number of all parameters.
        probe: Results on the test split.
    """

    checkpoint: Path
    epochs: tuple[Epoch, ...]
    kept: int
    trained: int
    parameters: int
    probe: ProbeReport


def finetune_model(
    plan: FinetunePlan,
    *,
    tell: Callable[[str], None] = lambda _: None,
    progress: Progress = lambda _done, _n: None,
    each: Callable[[Epoch], None] = lambda _: None,
) -> FinetuneReport:
    """Train, write the checkpoint, embed with it and score the test split.

    A run whose checkpoint stands in the bank is not trained again.

    Args:
        plan: What to train, with what, to where.
        tell: Takes lines that a person should see.
        progress: Takes steps done and steps in all; then chips embedded.
        each: Takes each epoch as it ends.

    Raises:
        TrainingError: The loss is not finite.
        RefusedError: More chips are refused than allowed.
        LockedError: Another process writes the checkpoint.
    """
    network = _network(plan)
    sizes = [(p.numel(), p.requires_grad) for p in network.parameters()]
    epochs: list[Epoch] = []
    plan.path.parent.mkdir(parents=True, exist_ok=True)
    with locked(plan.path, tell=tell):
        if not is_checkpoint(plan.path):
            epochs = _train(plan, network, tell, progress, each)
        heads = read_heads(plan.path)
        kept = int(heads["kept_epoch"][0])
        probe = score_network(plan, (heads[_WEIGHT], heads[_BIAS]), _params(plan, kept), progress)
    return FinetuneReport(
        checkpoint=plan.path,
        epochs=tuple(epochs),
        kept=kept,
        trained=sum(n for n, learns in sizes if learns),
        parameters=sum(n for n, _ in sizes),
        probe=probe,
    )


def _network(plan: FinetunePlan) -> FinetuneNetwork:
    encoder = as_vision_transformer(encoder_of(plan.embed), plan.options.model)
    n_classes = len(plan.labels.classes)
    network = FinetuneNetwork(encoder, plan.features, n_classes, seed=plan.options.seed)
    choose_trained(network, plan.blocks)
    set_drop_path(encoder, plan.options.drop_path)
    if plan.options.lora:
        from featbank.stages.finetune.lora import add_adapters

        torch.manual_seed(plan.options.seed)
        encoder.requires_grad_(False)
        add_adapters(encoder, plan.options.lora)
    return network.to(pick_device(plan.options.device))


def _train(
    plan: FinetunePlan,
    network: FinetuneNetwork,
    tell: Callable[[str], None],
    progress: Progress,
    each: Callable[[Epoch], None],
) -> list[Epoch]:
    device = pick_device(plan.options.device)
    chips, best, epochs = LabelledChips(plan, device, tell), Best(network, plan.options.keep), []
    try:
        for epoch in FineTuning(plan, network, chips, progress).epochs():
            epochs.append(epoch)
            best.see(epoch)
            each(epoch)
    finally:
        chips.close()
    best.restore()
    _write(plan, network, epochs, best.epoch)
    return epochs


def _write(
    plan: FinetunePlan, network: FinetuneNetwork, epochs: list[Epoch], kept: Epoch | None
) -> None:
    from featbank.stages.finetune.lora import merged_state

    number = 0 if kept is None else kept.epoch
    heads = {
        _WEIGHT: network.head.weight,
        _BIAS: network.head.bias,
        "kept_epoch": torch.tensor([float(number)]),
    }
    samples = plan.embed.imagery.dataset.samples.take(plan.rows["train"])
    seen = {plan.embed.imagery.dataset.name: sorted(map(str, samples.ids))}
    if samples.digests is not None:
        seen[SEEN_IMAGES] = sorted(set(samples.digests.tolist()))
    plan.path.mkdir(parents=True, exist_ok=True)
    write_atomically(plan.path / LOG, _log(epochs))
    write_checkpoint(
        plan.path, _record(plan, epochs), merged_state(network.encoder), heads, seen=seen
    )


def _log(epochs: list[Epoch]) -> bytes:
    import io

    import pandas as pd

    buffer = io.BytesIO()
    pd.DataFrame([epoch.as_row() for epoch in epochs]).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _record(plan: FinetunePlan, epochs: list[Epoch]) -> Checkpoint:
    embed, samples = plan.embed, plan.embed.imagery.dataset.samples
    statistics = embed.inputs.statistics
    device = pick_device(plan.options.device)
    steps = len(epochs) * -(-len(plan.rows["train"]) // plan.options.batch_size)
    return Checkpoint(
        name=plan.name,
        config=network_config(embed.weights.config),
        bands=band_records(embed.adapted.channels),
        image_px=int(embed.inputs.image_size or 0),
        statistics={
            "method": statistics.method,
            "mean": list(statistics.mean),
            "std": list(statistics.std),
            "source": statistics.source,
        },
        default_feature="+".join(plan.features),
        recipe=plan.recipe,
        recipe_id=recipe_id(plan.recipe),
        saw=(
            {
                "dataset": embed.imagery.dataset.name,
                "fingerprint": fingerprint(samples),
                "split_scheme": embed.imagery.scheme,
                "splits": ["train"],
                "samples": len(plan.rows["train"]),
            },
        ),
        steps=steps,
        is_finished=True,
        origin=embed.weights.origin,
        licence=embed.spec.licence,
        command=_command(plan),
        environment=environment(device, plan.options.batch_size, compiled=False),
    )


def _params(plan: FinetunePlan, kept: int) -> dict[str, Any]:
    options = plan.options
    return {
        "train": options.train if not options.lora else f"lora-{options.lora}",
        "lr": options.lr,
        "batch_size": options.batch_size,
        "epochs": options.epochs,
        "kept_epoch": kept,
        **({} if options.shots is None else {"shots": options.shots}),
    }


def _command(plan: FinetunePlan) -> str:
    """The command that makes the checkpoint again: no path of this machine."""
    import shlex
    from dataclasses import fields

    from featbank.datasets import DATASETS
    from featbank.stages.finetune.options import FinetuneOptions

    options, name = plan.options, plan.embed.imagery.dataset.name
    own = {"data_root", "splits", "bank", "device", "workers", "cache_gb", "download"}
    words = ["featbank", "finetune", "--model", plan.embed.spec.name]
    words += ["--dataset", name if name in DATASETS else f"path/to/{name}"]
    for field in fields(FinetuneOptions):
        value = getattr(options, field.name)
        if field.name in own | {"model", "dataset", "answers"} or value == field.default:
            continue
        told = plan.embed.weights.origin if field.name == "weights" else value
        words += [f"--{field.name.replace('_', '-')}", str(told)]
    return shlex.join(words + settled_answer_words(plan.embed))
