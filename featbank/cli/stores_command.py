"""``featbank stores``: the stores of a bank, and removing one."""

from __future__ import annotations

from pathlib import Path

import click

from featbank.cli.options import bank_option, output_options
from featbank.cli.output import print_json, say

_COLUMNS = {
    "store": "store",
    "rows": "rows",
    "features": "features",
    "state": "state",
    "bytes": "size",
}


@click.command(name="stores")
@click.option(
    "--remove", type=click.Path(path_type=Path), help="Remove this store and its run log."
)
@bank_option
@output_options
def command(bank: Path, remove: Path | None, as_json: bool, debug: bool) -> None:
    """List the stores of a bank with their state and size.

    \b
    Examples:
      featbank stores
      featbank stores --remove bank/stores/synthetic-s2/rcf-0a1b2c3d.zarr
    """
    from featbank.lookup.listing import remove_store, store_rows
    from featbank.pages.catalog_table import human_bytes, print_rows

    if remove is not None:
        freed = remove_store(remove)
        message = f"{remove}: removed, {human_bytes(freed)} freed."
        print_json({"removed": str(remove), "bytes": freed}) if as_json else say(message)
        return
    rows = store_rows(bank)
    if as_json:
        print_json({"stores": rows})
        return
    if rows:
        print_rows(rows, _COLUMNS, fold=("store",))
    total = human_bytes(sum(row["bytes"] for row in rows))
    say(f"{len(rows)} stores, {total}. Bank: {bank}.")
