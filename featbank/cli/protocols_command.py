"""``featbank protocols``: the named protocols, or one in full."""

from __future__ import annotations

import click

from featbank.cli.options import output_options
from featbank.cli.output import print_json


@click.command(name="protocols")
@click.argument("name", required=False)
@output_options
def command(name: str | None, as_json: bool, debug: bool) -> None:
    """List the protocols that 'featbank probe --protocol' takes, or show one in full.

    \b
    Examples:
      featbank protocols
      featbank protocols dinov2-logreg

    A protocol fixes a probe's parameters and grid, what it is chosen and fitted on, and the
    averages; some fix the features too. Its name stands beside every result, and so do
    parameters, which --param can change.
    """
    from featbank.lookup.protocol_listing import protocol_description, protocol_rows
    from featbank.pages.catalog_table import print_description, print_rows

    rows = protocol_rows(name)
    if not rows and name is not None:
        (print_json if as_json else print_description)(protocol_description(name))
    elif as_json:
        print_json({"protocols": rows})
    else:
        columns = {"name": "name", "probe": "probe", "fits": "fits", "summary": "summary"}
        print_rows(rows, columns, fold=("summary",))
