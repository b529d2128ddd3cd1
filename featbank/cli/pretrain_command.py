"""``featbank pretrain``: from unlabelled imagery to a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import (
    answer_option,
    bank_option,
    cache_option,
    imagery_options,
    names,
    output_options,
    parameters,
)
from featbank.cli.output import print_json, progress_bar, say, tell
from featbank.cli.step_bars import step_bars
from featbank.inputs.normalise import METHODS

if TYPE_CHECKING:
    from featbank.stages.pretrain.plan import PretrainPlan
    from featbank.stages.pretrain.run import PretrainReport


@click.command(name="pretrain")
@click.option("--method", required=True, help="Method; 'featbank methods' lists them.")
@click.option(
    "--model", required=True, help="Network to train: vit-tiny to vit-large, dinov2-small, …."
)
@click.option(
    "--dataset", required=True, help="Dataset; 'featbank datasets' lists them. Or a folder's path."
)
@click.option(
    "--weights",
    help="Start from trained weights: a file, transformers folder, hub id or checkpoint; default: "
    "at random.",
)
@answer_option
@click.option(
    "--teacher",
    type=click.Path(path_type=Path),
    help="Checkpoint of a frozen teacher, for methods that learn from one.",
)
@click.option(
    "--set",
    "hyper",
    multiple=True,
    callback=parameters,
    metavar="NAME=VALUE",
    help="A hyper-parameter in place of the method's own; may be repeated.",
)
@click.option(
    "--epochs", type=int, help="Times that every chip is seen; 0 keeps the network untrained."
)
@click.option("--steps", type=int, help="Steps of the optimiser, instead of epochs.")
@click.option("--batch-size", type=int, help="Chips of a step, over all processes.")
@click.option("--micro-batch", type=int, help="Chips at once in each process, to save memory.")
@click.option("--image-size", type=int, help="Side of the largest view; default: the model's.")
@click.option("--patch", type=int, help="Side of a patch in pixels; default: the model's.")
@click.option("--registers", type=int, help="Register tokens; default: the model's.")
@click.option(
    "--layer-scale/--no-layer-scale",
    default=None,
    help="Whether residual branches are scaled; default: as the model's.",
)
@click.option(
    "--ffn", type=click.Choice(["mlp", "swiglu"]), help="Feed-forward layer; default: the model's."
)
@click.option(
    "--inflate",
    type=click.Choice(["mean", "wavelength"]),
    default="mean",
    show_default=True,
    help="How a patch embedding of other bands is carried over to these.",
)
@click.option(
    "--frozen-encoder", is_flag=True, help="Leave the encoder as it is; only the rest learns."
)
@click.option(
    "--adapt",
    default="none",
    show_default=True,
    help="Channels made of the bands: rgb, repeat, ratio, pca3; none: the bands as they are.",
)
@click.option(
    "--normalise",
    type=click.Choice(METHODS),
    help="Input statistics; default: dataset, a z-score fitted on the chips trained on. "
    "checkpoint: those of --teacher or of --weights.",
)
@click.option("--split-scheme", help="Split scheme; default: the dataset's first.")
@click.option(
    "--splits-seen",
    default="train",
    show_default=True,
    callback=names,
    help="Splits to train on; train,val or unlabelled too.",
)
@click.option(
    "--probe-every",
    type=int,
    default=0,
    show_default=True,
    help="Epochs between k-NN and logistic probes, scored on 1,000 validation chips at most (part "
    "of train where there are none); 0: none.",
)
@click.option(
    "--save-every",
    type=int,
    help="Epochs between saved states; default: by the clock, at least a minute apart, and so that "
    "saving takes about 2 % of the time; before each probe and at the end too.",
)
@click.option(
    "--keep", type=int, default=1, show_default=True, help="Older states to keep beside the newest."
)
@click.option(
    "--log",
    multiple=True,
    type=click.Choice(["wandb", "mlflow"]),
    help="Log there too, beside TensorBoard and log.parquet.",
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "bfloat16", "float32"]),
    default="auto",
    show_default=True,
    help="Compute dtype; auto: bfloat16 where the device multiplies it in hardware.",
)
@click.option("--shard", is_flag=True, help="Processes share parameters and moments (FSDP2).")
@click.option("--recompute", is_flag=True, help="Compute activations again, to save memory.")
@click.option("--compile", is_flag=True, help="Compile the encoder's blocks.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random.")
@click.option("--again", is_flag=True, help="Begin anew where a run stands half done or finished.")
@click.option("--dry-run", is_flag=True, help="Rehearse: say what would be done, write nothing.")
@imagery_options
@cache_option
@bank_option
@output_options
def command(as_json: bool, debug: bool, dry_run: bool, **options: Any) -> None:  # noqa: ANN401
    """Train an encoder on imagery without labels; repeat the command to finish what was cut off.

    \b
    Examples:
      featbank pretrain --method dinov2 --model vit-small --dataset eurosat-ms
      featbank pretrain --method mae --model vit-tiny --dataset synthetic-s2 --epochs 20
      featbank pretrain --method dino --model vit-tiny --dataset path/to/AID --weights FILE
      torchrun --nproc-per-node 4 --no-python featbank pretrain --method dinov2 --model vit-base …

    It trains on the train split alone unless told otherwise, or on all chips where no split is
    known, and the checkpoint lists the chips that it saw. The checkpoint is a model for 'featbank
    embed --model'.
    """
    from featbank.stages.pretrain.options import PretrainOptions
    from featbank.stages.pretrain.planning import plan_pretrain

    with step_bars(counts_bytes=True) as fetching:
        plan = plan_pretrain(PretrainOptions(**options), progress=fetching)
    if dry_run:
        _rehearse(plan, as_json)
        return
    from featbank.stages.pretrain.run import pretrain
    from featbank.stages.pretrain.watching.online_probe import online_probe

    with progress_bar(f"{plan.path.name}", "steps") as progress:
        report = pretrain(plan, tell=tell, progress=progress, probe=online_probe(plan, tell=tell))
    _print(report, plan, as_json)


def _rehearse(plan: PretrainPlan, as_json: bool) -> None:
    from featbank.pages.rehearsal_page import print_rehearsal
    from featbank.stages.pretrain.settings.rehearse import rehearse_pretrain

    rehearsal = rehearse_pretrain(plan)
    if as_json:
        print_json({"dry_run": rehearsal})
    else:
        print_rehearsal(rehearsal)


def _print(report: PretrainReport, plan: PretrainPlan, as_json: bool) -> None:
    from featbank.pages.training_curves import write_training_curves
    from featbank.stages.pretrain.scale.parallel import is_first_process
    from featbank.stages.pretrain.settings.run_recipe import next_command

    # torchrun starts one process a device; the first speaks for all.
    if not is_first_process():
        return
    if report.done:
        write_training_curves(report.checkpoint)
    for sample, reason in list(report.refused.items())[:5]:
        tell(f"refused {sample}: {reason}")
    if as_json:
        row = {**report.as_row(), "notes": list(plan.notes)}
        print_json({"checkpoint": str(report.checkpoint), "pretrain": row, "results": []})
        return
    notes = "".join(f" Note: {note}." for note in plan.notes)
    say(f"{report.sentence()} Bank: {plan.options.bank}.{notes}")
    say(f"Next: {next_command(plan)}")
