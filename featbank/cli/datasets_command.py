"""``featbank datasets``: the datasets."""

from __future__ import annotations

import click

from featbank.cli.options import output_options
from featbank.cli.output import print_json

_COLUMNS = {
    "name": "dataset",
    "title": "what it is",
    "size": "size",
    "licence": "licence",
    "on_this_machine": "here",
}


@click.command(name="datasets")
@output_options
def command(as_json: bool, debug: bool) -> None:
    """List the datasets: bands, size, licence, whether they are on this machine.

    \b
    Example:
      featbank datasets
    """
    from featbank.stages.listing import dataset_rows

    rows = dataset_rows()
    if as_json:
        print_json({"datasets": rows})
        return
    from featbank.pages.catalog_table import print_rows

    print_rows(rows, _COLUMNS, fold=("title", "size", "licence"))
