"""``featbank export``: a checkpoint as a folder that another library opens."""

from __future__ import annotations

from pathlib import Path

import click

from featbank.cli.options import output_options
from featbank.cli.output import print_json, say


@click.command(name="export")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(["transformers", "timm"]),
    required=True,
    help="transformers: a folder for from_pretrained; timm: tensors under its names, and the "
    "arguments of its VisionTransformer.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder to write; new or empty."
)
@output_options
def command(checkpoint: Path, to: str, out: Path, as_json: bool, debug: bool) -> None:
    """Write the encoder of a checkpoint for another library.

    \b
    Examples:
      featbank export bank/checkpoints/eurosat-ms/dinov2-vit-small-1a2b3c4d --to transformers
        --out my-encoder
      featbank embed --model hf:my-encoder --dataset path/to/images
    """
    from featbank.stages.pretrain.checkpoints.exporting import export_checkpoint

    export = export_checkpoint(checkpoint, to=to, out=out)
    if as_json:
        print_json({"export": export.folder, "network": export.network, "notes": export.notes})
        return
    notes = "".join(f" Note: {note}." for note in export.notes)
    say(f"{export.folder}: {', '.join(export.files)}, for {export.network}.{notes}")
