"""``featbank models``: the backbones; fetching the weights of one."""

from __future__ import annotations

import click

from featbank.cli.options import output_options
from featbank.cli.output import print_json, say

_COLUMNS = {
    "name": "model",
    "image_size": "px",
    "dim": "D",
    "parameters": "params",
    "gflop": "GFLOP",
    "needs": "needs",
}


@click.command(name="models")
@click.argument("name", required=False)
@click.option("--download", metavar="M", help="Fetch this model's weights from its publisher.")
@output_options
def command(name: str | None, download: str | None, as_json: bool, debug: bool) -> None:
    """List the backbones: size, parameters, GFLOP a chip, what they need; or tell all about one.

    Weights are kept in $FEATBANK_WEIGHTS, or ~/.cache/featbank/weights; those of a hub id in the
    hub's own cache.

    \b
    Examples:
      featbank models
      featbank models dofa
      featbank models --download dofa
    """
    if download is not None:
        _download(download, as_json)
        return
    if name is not None:
        _tell(name, as_json)
        return
    from featbank.lookup.listing import model_rows

    rows = model_rows()
    if as_json:
        print_json({"models": rows})
        return
    from featbank.pages.catalog_table import print_rows

    print_rows(rows, _COLUMNS, fold=("needs",))


def _download(name: str, as_json: bool) -> None:
    from featbank.cli.step_bars import step_bars
    from featbank.sources.fetching import fetch_model

    with step_bars(counts_bytes=True) as progress:
        path = fetch_model(name, progress)
    if as_json:
        print_json({"model": name, "weights": path})
    else:
        say(f"{name}: its weights are at {path}.")


def _tell(name: str, as_json: bool) -> None:
    from featbank.lookup.listing import model_row

    row = model_row(name)
    if as_json:
        print_json({"model": row})
        return
    from featbank.pages.catalog_table import print_description

    print_description(row)
