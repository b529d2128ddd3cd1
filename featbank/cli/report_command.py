"""``featbank report``: everything about a dataset on one page, or the tables for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import bank_option, output_options
from featbank.cli.output import print_json, progress_bar, say

if TYPE_CHECKING:
    from featbank.stages.report.run import ReportOptions


@click.command(name="report")
@click.argument("results", nargs=-1, metavar="[RESULT ...]")
@click.option("--dataset", help="Dataset; default: that of the newest store.")
@click.option("--store", type=click.Path(path_type=Path), help="Or one store and its results.")
@click.option("--labels", help="Results on this label set alone.")
@click.option("--split-scheme", help="Results on this split scheme alone.")
@click.option("--by", help="Column that colours the map at first; default: the labels.")
@click.option("--map", help="umap, pca, none, or a map's id; default: the newest.")
@click.option(
    "--thumbnails",
    type=click.IntRange(min=0),
    default=5_000,
    show_default=True,
    help="Chips with a picture on the map.",
)
@click.option("--title", help="Title of the page.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write; default: <bank>/reports/<dataset>.html, and the terminal for tables.",
)
@click.option(
    "--format",
    type=click.Choice(["html", "md", "latex"]),
    default="html",
    show_default=True,
    help="The page, or its tables as a paper pastes them in.",
)
@bank_option
@output_options
def command(as_json: bool, debug: bool, **options: Any) -> None:  # noqa: ANN401
    """Write one self-contained page of a dataset's stores, results, figures and map.

    \b
    Examples:
      featbank report
      featbank report --dataset synthetic-s2 --labels cover
      featbank report 3f9c21 a07b44 --out two_probes.html
      featbank report --format latex > tables.tex

    RESULT is the id of a result or its first digits. The page opens from disk in any browser and
    fetches nothing; pictures of chips are left out or made smaller beyond 10 MB.
    """
    from featbank.stages.report.run import ReportOptions

    asked = ReportOptions(**options)
    if asked.format != "html" and asked.out is None and not as_json:
        _print_tables(asked)
    else:
        _write(asked, as_json=as_json)


def _print_tables(asked: ReportOptions) -> None:
    from featbank.pages.report import tables_as_text
    from featbank.stages.report.run import gather_report

    say(tables_as_text(gather_report(asked)), lines=True)


def _write(asked: ReportOptions, *, as_json: bool) -> None:
    from featbank.pages.report import write_report
    from featbank.stages.report.finding_map import map_maker
    from featbank.stages.report.run import gather_report

    content = gather_report(asked, make_map=map_maker(asked.bank))
    with progress_bar("Chips", "chips") as bar:
        written = write_report(content, progress=bar)
    if as_json:
        print_json(written.as_json())
        return
    say(f"{written.path}: {written.size / 1e6:.1f} MB. Bank: {asked.bank}.")
