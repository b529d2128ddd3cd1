"""``featbank methods``: the pretraining methods, or one in full."""

from __future__ import annotations

import click

from featbank.cli.options import output_options
from featbank.cli.output import print_json


@click.command(name="methods")
@click.argument("name", required=False)
@output_options
def command(name: str | None, as_json: bool, debug: bool) -> None:
    """List the methods that 'featbank pretrain --method' takes, or show one in full.

    \b
    Examples:
      featbank methods
      featbank methods dinov2

    One in full lists its hyper-parameters with their published values, which '--set NAME=VALUE'
    changes.
    """
    from featbank.pages.catalog_table import print_description, print_rows
    from featbank.stages.pretrain.checkpoints.listing import method_description, method_rows

    if name is not None:
        (print_json if as_json else print_description)(method_description(name))
    elif as_json:
        print_json({"methods": method_rows()})
    else:
        columns = {"name": "name", "epochs": "epochs", "batch": "batch", "summary": "summary"}
        print_rows(method_rows(), columns, fold=("summary",))
