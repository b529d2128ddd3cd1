"""``featbank finetune``: train a backbone further with labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import (
    answer_option,
    bank_option,
    cache_option,
    imagery_options,
    output_options,
)
from featbank.cli.output import print_json, progress_bar, say, tell
from featbank.cli.step_bars import step_bars
from featbank.inputs.normalise import METHODS

if TYPE_CHECKING:
    from featbank.stages.finetune.plan import FinetunePlan
    from featbank.stages.finetune.run import FinetuneReport
    from featbank.stages.finetune.training import Epoch


@click.command(name="finetune")
@click.option(
    "--model", required=True, help="A vision transformer of 'featbank models', or a checkpoint."
)
@click.option("--dataset", required=True, help="Labelled dataset, or a folder's path.")
@click.option("--weights", help="Weights file, transformers folder, hub id, or 'random'.")
@click.option(
    "--train",
    default="full",
    show_default=True,
    help="What learns beside the head: full, frozen (nothing), or last-K blocks, such as last-2.",
)
@click.option(
    "--lora",
    type=int,
    default=0,
    show_default=True,
    help="Rank of low-rank adapters that learn in the blocks' place; 0 for none. Needs the extra "
    "'lora'.",
)
@click.option("--shots", type=int, help="Training samples of each class; default: all.")
@click.option("--epochs", type=int, default=10, show_default=True)
@click.option("--batch-size", type=int, default=32, show_default=True, help="Chips of a step.")
@click.option("--lr", type=float, default=1e-4, show_default=True, help="Learning rate.")
@click.option("--weight-decay", type=float, default=0.0, show_default=True, help="0: plain Adam.")
@click.option(
    "--layer-decay",
    type=float,
    default=1.0,
    show_default=True,
    help="Factor of the learning rate from each block to the one below it.",
)
@click.option(
    "--schedule", type=click.Choice(["constant", "cosine"]), default="constant", show_default=True
)
@click.option("--warmup-epochs", type=float, default=0.0, show_default=True)
@click.option(
    "--flip", type=float, default=0.5, show_default=True, help="Probability of each mirroring."
)
@click.option(
    "--quarter-turns/--no-quarter-turns", default=True, help="Whether chips are turned by 90°."
)
@click.option(
    "--colour",
    type=float,
    default=0.1,
    show_default=True,
    help="Largest change of brightness (in standard deviations) and contrast (as a share).",
)
@click.option("--drop-path", type=float, default=0.0, show_default=True, help="Stochastic depth.")
@click.option(
    "--keep",
    type=click.Choice(["best", "last"]),
    default="best",
    show_default=True,
    help="Which epoch's weights are kept; best: on validation.",
)
@click.option("--labels", help="Label set; default: the dataset's first.")
@click.option("--split-scheme", help="Split scheme; default: the dataset's first.")
@click.option("--adapt", default="none", show_default=True, help="As 'featbank embed' takes it.")
@click.option("--normalise", type=click.Choice(METHODS), help="As 'featbank embed' takes it.")
@answer_option
@click.option(
    "--positions",
    type=click.Choice(["original", "transformers"]),
    help="The same as --answer positions=….",
)
@click.option("--image-size", type=int, help="Side in pixels; default: the backbone's own.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "bfloat16", "float32"]),
    default="auto",
    show_default=True,
    help="Compute dtype; weights and their updates are always float32.",
)
@click.option(
    "--resamples",
    type=int,
    default=1000,
    show_default=True,
    help="Parts that intervals leave out, at most; 0: no intervals.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@imagery_options
@cache_option
@bank_option
@output_options
def command(as_json: bool, debug: bool, **options: Any) -> None:  # noqa: ANN401
    """Train a backbone and a linear head with labels; keep the checkpoint, score it on test.

    \b
    Examples:
      featbank finetune --model dinov2-base --dataset eurosat-rgb
      featbank finetune --model dinov2-base --dataset eurosat-rgb --shots 100
      featbank finetune --model vit-tiny --weights FILE --normalise half --dataset path/to/AID
      featbank finetune --model path/to/checkpoint --dataset eurosat-ms --train last-2

    The defaults are those of the study of DINOv2-base on EuroSAT: a head on the CLS token and the
    mean of the patch tokens, Adam at 1e-4, batches of 32, 10 epochs. The weights that are kept
    are scored on test, with the metrics and intervals of 'featbank probe'.
    """
    from featbank.stages.finetune.options import FinetuneOptions
    from featbank.stages.finetune.plan import plan_finetune

    with step_bars(counts_bytes=True) as fetching:
        plan = plan_finetune(FinetuneOptions(**options), progress=fetching)
    for note in plan.embed.notes:
        tell(note)
    from featbank.stages.finetune.run import finetune_model

    with progress_bar(f"fine-tuning {plan.embed.spec.name}", "steps") as progress:
        report = finetune_model(plan, tell=tell, progress=progress, each=_tell_epoch)
    _print(report, plan, as_json)


def _tell_epoch(epoch: Epoch) -> None:
    has_val = epoch.val_score == epoch.val_score
    val = f", validation {epoch.val_score:.3f} (loss {epoch.val_loss:.3f})" if has_val else ""
    tell(
        f"epoch {epoch.epoch}: train {epoch.train_score:.3f} (loss {epoch.train_loss:.3f}){val}, "
        f"{epoch.chips_per_second:.0f} chips/s"
    )


def _print(report: FinetuneReport, plan: FinetunePlan, as_json: bool) -> None:
    if report.epochs:
        from featbank.pages.training_curves import write_training_curves

        write_training_curves(report.checkpoint)
    if as_json:
        print_json(
            {
                "checkpoint": str(report.checkpoint),
                "store": report.probe.results[0].store,
                "epochs": [epoch.as_row() for epoch in report.epochs],
                "kept_epoch": report.kept,
                "trained": report.trained,
                "parameters": report.parameters,
                "classes": list(report.probe.classes),
                "results": [result.as_row() for result in report.probe.results],
            }
        )
        return
    from featbank.pages.result_table import print_results

    print_results(report.probe.results)
    state = f"epoch {report.kept} kept" if report.epochs else "found, not trained again"
    say(
        f"{report.checkpoint}: {state}; {report.trained:,} of {report.parameters:,} parameters "
        f"learned. Bank: {plan.options.bank}."
    )
