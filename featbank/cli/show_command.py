"""``featbank show``: everything that a store tells about itself."""

from __future__ import annotations

from pathlib import Path

import click

from featbank.cli.options import bank_option, output_options
from featbank.cli.output import print_json


@click.command(name="show")
@click.argument("store", required=False, type=click.Path(path_type=Path))
@click.option(
    "--store", "named", type=click.Path(path_type=Path), help="The same, as other commands take it."
)
@click.option("--model", help="Or find the store by backbone.")
@click.option("--dataset", help="Or by dataset, as 'embed' takes it.")
@bank_option
@output_options
def command(
    store: Path | None,
    named: Path | None,
    model: str | None,
    dataset: str | None,
    bank: Path,
    as_json: bool,
    debug: bool,
) -> None:
    """Show a store's recipe, origins, licences, refused samples, and its classes by splits.

    Without a store, the newest is shown.

    \b
    Example:
      featbank show --model rcf --dataset synthetic-s2
    """
    from featbank.bank.bank import Bank
    from featbank.lookup.class_table import store_classes
    from featbank.lookup.listing import store_description
    from featbank.lookup.stores import find_store

    path = find_store(Bank(bank), store=store or named, model=model, dataset=dataset)
    description, classes = store_description(path), store_classes(path)
    if as_json:
        print_json({**description, "classes": classes.as_row()})
        return
    from featbank.pages.store_page import print_store

    print_store(description, classes)
