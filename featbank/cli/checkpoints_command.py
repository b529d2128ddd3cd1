"""``featbank checkpoints``: the checkpoints of a bank, or one in full."""

from __future__ import annotations

from pathlib import Path

import click

from featbank.cli.options import bank_option, output_options
from featbank.cli.output import print_json

_COLUMNS = {
    "name": "checkpoint",
    "dataset": "dataset",
    "steps": "steps",
    "state": "state",
    "bands": "bands",
    "dim": "D",
}


@click.command(name="checkpoints")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@bank_option
@output_options
def command(path: Path | None, bank: Path, as_json: bool, debug: bool) -> None:
    """List the checkpoints that 'featbank pretrain' made, or tell all about one.

    \b
    Examples:
      featbank checkpoints
      featbank checkpoints bank/checkpoints/eurosat-ms/dinov2-vit-small-1a2b3c4d
    """
    from featbank.pages.catalog_table import print_description, print_rows
    from featbank.stages.pretrain.checkpoints.listing import checkpoint_description, checkpoint_rows

    if path is not None:
        (print_json if as_json else print_description)(checkpoint_description(path))
    elif as_json:
        print_json({"checkpoints": checkpoint_rows(bank)})
    else:
        print_rows(checkpoint_rows(bank), _COLUMNS, fold=("bands",))
