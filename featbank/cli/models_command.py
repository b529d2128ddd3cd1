"""``featbank models``: the backbones."""

from __future__ import annotations

import click

from featbank.cli.options import output_options
from featbank.cli.output import print_json

_COLUMNS = {
    "name": "model",
    "image_size": "px",
    "dim": "D",
    "parameters": "params",
    "gflop": "GFLOP",
    "needs": "needs",
}


@click.command(name="models")
@output_options
def command(as_json: bool, debug: bool) -> None:
    """List the backbones: size, GFLOP a chip, bands, features, where weights come from.

    \b
    Example:
      featbank models
    """
    from featbank.stages.listing import model_rows

    rows = model_rows()
    if as_json:
        print_json({"models": rows})
        return
    from featbank.pages.catalog_table import print_rows

    print_rows(rows, _COLUMNS, fold=("needs",))
