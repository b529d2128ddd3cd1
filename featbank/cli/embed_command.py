"""``featbank embed``: write or finish a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import (
    answer_option,
    bank_option,
    imagery_options,
    integers,
    names,
    output_options,
)
from featbank.cli.output import print_json, progress_bar, say, tell
from featbank.cli.step_bars import step_bars
from featbank.inputs.normalise import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.lookup.class_table import ClassTable
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.stages.embed.report import EmbedReport

# Refused chips that are named with their reasons.
_TOLD = 5


@click.command(name="embed")
@click.option(
    "--model",
    required=True,
    help="Backbone; 'featbank models' lists them. Or a checkpoint's path, or its name in the bank.",
)
@click.option(
    "--dataset",
    required=True,
    help="Dataset; 'featbank datasets' lists them. Or the path of a folder of class folders, of "
    "train/val/test folders of them, or of images alone.",
)
@click.option(
    "--weights",
    help="Weights file, transformers folder, hub id, or 'random' for an untrained network; "
    "default: the publisher's own.",
)
@click.option(
    "--normalise",
    type=click.Choice(METHODS),
    help="Input statistics. imagenet, sat493m: their own; half: 0..255 to -1..1; processor: the "
    "weights' own; dataset: z-score fitted on the train split; published: the dataset's; "
    "checkpoint: those that a checkpoint was trained with.",
)
@click.option(
    "--adapt",
    default="none",
    show_default=True,
    help="Route from the bands to the model. none: as they are; rgb: those bands; repeat: one or "
    "two bands to three; ratio: VV, VH, VV-VH; pca3: three components fitted on train pixels; "
    "per-band: each band alone, features joined.",
)
@click.option(
    "--wavelengths",
    help="Centre wavelengths, one a channel, instead of the checkpoint's (experimental): numbers "
    "in µm (from 100 on: nm), first:last:count, a file of them, or 'descriptions' for those that "
    "the images give their bands.",
)
@answer_option
@click.option(
    "--dofa-reshape",
    type=click.Choice(["new", "old"]),
    help="The same as --answer reshape=….",
)
@click.option(
    "--positions",
    type=click.Choice(["original", "transformers"]),
    help="The same as --answer positions=….",
)
@click.option("--image-size", type=int, help="Side in pixels; default: the backbone's own.")
@click.option(
    "--resize",
    type=click.Choice(["bicubic", "bilinear", "nearest"]),
    default="bicubic",
    show_default=True,
    help="How chips are resized, antialiased; the whole chip, no crop.",
)
@click.option(
    "--layers",
    default="-1",
    show_default=True,
    callback=integers,
    help="Blocks to take features after, such as 2,5,-1.",
)
@click.option(
    "--features",
    default="",
    callback=names,
    help="Features to store beside the usual ones: mean_raw, the mean patch token before the final "
    "norm, which protocol pangaea-knn reads.",
)
@click.option(
    "--tokens", is_flag=True, help="Store patch tokens too (large), and label maps where known."
)
@click.option("--registers", is_flag=True, help="Store register tokens too.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "bfloat16", "float32"]),
    default="auto",
    show_default=True,
    help="Compute dtype; auto: bfloat16 autocast for networks where the device multiplies it in "
    "hardware, else float32.",
)
@click.option(
    "--store-dtype",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="Storage dtype of pooled features.",
)
@click.option("--batch-size", type=int, help="Chips at once; default: 64, on a GPU 256.")
@click.option("--shard-rows", type=int, help="Rows of a shard, a power of two; default: derived.")
@click.option(
    "--split-scheme",
    help="Scheme whose train split statistics are fitted on, such as block-1km-0 or random-0.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of random weights.")
@click.option(
    "--max-missing",
    type=float,
    default=0.5,
    show_default=True,
    help="Share of missing pixels (nodata, mask, alpha 0) above which a chip is refused.",
)
@click.option("--deterministic", is_flag=True, help="Refuse operations that may vary by run.")
@click.option(
    "--compile",
    is_flag=True,
    help="Compile the transformer's blocks: 10 s or more at the start, so for many chips.",
)
@click.option("--dry-run", is_flag=True, help="Rehearse: say what would be done, write nothing.")
@imagery_options
@bank_option
@output_options
def command(as_json: bool, debug: bool, dry_run: bool, **options: Any) -> None:  # noqa: ANN401
    """Embed a dataset with a frozen backbone, once; repeat the command to finish what was cut off.

    \b
    Examples:
      featbank embed --model dofa --dataset bigearthnet-s1
      featbank embed --model dinov2-base --dataset eurosat-ms --bands rgb
      featbank embed --model rcf --dataset synthetic-s2
      featbank embed --model vit-tiny --weights FILE --normalise half --dataset path/to/AID
    """
    from featbank.sources.embed_options import EmbedOptions
    from featbank.stages.embed.plan import plan_embed

    with step_bars(counts_bytes=True) as fetching:
        plan = plan_embed(EmbedOptions(**options), progress=fetching, is_rehearsal=dry_run)
    if dry_run:
        _rehearse(plan, as_json)
        return
    from featbank.stages.embed.run import embed_dataset

    with progress_bar(f"{plan.spec.name} on {plan.imagery.dataset.name}", "chips") as progress:
        report = embed_dataset(plan, tell=tell, progress=progress)
    _print(report, plan, as_json)


def _rehearse(plan: EmbedPlan, as_json: bool) -> None:
    from featbank.pages.class_table import print_classes
    from featbank.pages.rehearsal_page import print_rehearsal
    from featbank.stages.embed.rehearse import rehearse

    rehearsal, classes = rehearse(plan), _classes(plan)
    if as_json:
        print_json({"dry_run": rehearsal, "classes": classes.as_row()})
    else:
        print_rehearsal(rehearsal)
        print_classes(classes)


def _classes(plan: EmbedPlan) -> ClassTable:
    from featbank.lookup.class_table import dataset_classes

    return dataset_classes(plan.imagery.dataset.samples, plan.imagery.scheme)


def _tell_refused(refused: Mapping[str, str]) -> None:
    from featbank.lookup.listing import REFUSED_NAMED

    for sample, reason in list(refused.items())[:_TOLD]:
        tell(f"refused {sample}: {reason}")
    if len(refused) > _TOLD:
        names = "them" if len(refused) <= REFUSED_NAMED else f"the first {REFUSED_NAMED}"
        tell(f"and {len(refused) - _TOLD} more refused; 'featbank show' names {names}")


def _print(report: EmbedReport, plan: EmbedPlan, as_json: bool) -> None:
    from featbank.lookup.class_table import store_classes
    from featbank.pages.class_table import print_classes

    classes = store_classes(report.store)
    _tell_refused(report.refused)
    if as_json:
        row = {**report.as_row(), "notes": list(plan.notes)}
        print_json(
            {"store": report.store, "embed": row, "classes": classes.as_row(), "results": []}
        )
    else:
        notes = "".join(f" Note: {note}." for note in plan.notes)
        say(f"{report.sentence()} Bank: {plan.options.bank}.{notes}")
        print_classes(classes)
