"""``featbank diff``: why two stores differ, and how far their features are apart."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from featbank.cli.options import SEED, output_options
from featbank.cli.output import print_json, progress_bar


@click.command(name="diff")
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of the 5,000 samples whose neighbours are compared where there are more.",
)
@output_options
def command(first: Path, second: Path, seed: int, as_json: bool, debug: bool) -> None:
    """Tell why two stores differ, and how far their features are apart.

    \b
    Example:
      featbank diff bank/stores/AID/vit-tiny-1c9a7e02.zarr other/vit-tiny-77b0d3f1.zarr

    Recipes, labels and the runs that made them are compared field by field. Features are compared
    on the samples that both stores embedded, joined on sample id, or on pair id where ids differ:
    largest difference, cosine of each sample, linear CKA, and the share of the 10 nearest
    neighbours that both agree on. Features of different width have only the last two.
    """
    from featbank.stages.diff.run import diff_stores

    with progress_bar("diff", "features") as progress:
        found = diff_stores(first, second, seed=seed, progress=progress)
    if as_json:
        print_json({**asdict(found), "verdict": found.verdict})
        return
    from featbank.pages.diff_page import print_diff

    print_diff(found)
