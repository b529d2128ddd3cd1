"""``featbank figure``: one figure of a store or of results, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from featbank.cli.options import SEED, bank_option, names, output_options
from featbank.cli.output import print_json, say

_COLUMNS = {"name": "figure", "summary": "what it shows"}
_OF_SUBJECT = ("store", "model", "dataset", "labels", "split_scheme")


@click.command(name="figure")
@click.argument("name", required=False)
@click.argument("results", nargs=-1, metavar="[RESULT ...]")
@click.option("--store", type=click.Path(path_type=Path), help="Instead of results: a store,")
@click.option("--model", help="or the store of this backbone,")
@click.option("--dataset", help="or all results of this dataset.")
@click.option("--labels", help="Label set; default: the store's first.")
@click.option("--split-scheme", help="Split scheme; default: the store's first.")
@click.option("--ids", default="", callback=names, help="Samples to draw, separated by commas.")
@click.option("--by", help="Column to colour or group by.")
@click.option("--metric", help="Metric to draw; default: the figure's own.")
@click.option(
    "--threshold",
    type=click.Choice(["0.5", "tuned-f2"]),
    default="0.5",
    show_default=True,
    help="Decisions on labels.",
)
@click.option("--k", type=click.IntRange(min=1), default=6, show_default=True, help="Neighbours.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of what is random.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File, .png, .svg or .pdf; default: <bank>/figures/<dataset>-<figure>.png.",
)
@bank_option
@output_options
def command(
    name: str | None,
    results: tuple[str, ...],
    out: Path | None,
    bank: Path,
    as_json: bool,
    debug: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Draw one figure of a store or of results; without a name, list the figures.

    \b
    Examples:
      featbank figure
      featbank figure class-distribution --dataset AID
      featbank figure confusion-matrix 3f9c21 --out confusion.svg
      featbank figure class-scores 3f9c21 a07b44 --metric f1

    RESULT is an id of a result or its first digits. Without one, all results of the store are
    drawn; a figure of one result takes the newest that it can be drawn of, and says which.
    """
    if name is None:
        _list(as_json)
        return
    from featbank.bank.bank import Bank
    from featbank.lookup.subject_finding import find_subject
    from featbank.pages.figure_drawing import default_path, draw_figure
    from featbank.pages.figures import FIGURES, FigureOptions
    from featbank.pages.figures.drawing.style import own_style, require_suffix, save_figure

    FIGURES[name]  # An unknown name is told before anything is read.
    if out is not None:
        require_suffix(out)
    asked = {option: options.pop(option) for option in _OF_SUBJECT}
    subject = find_subject(Bank(bank), results=results, **asked)
    with own_style():
        drawn = draw_figure(name, subject, FigureOptions(**options), is_named=bool(results))
        path = save_figure(drawn.figure, out or default_path(drawn))
    if as_json:
        ids = [rows[0].result for rows in drawn.subject.results]
        print_json({"figure": name, "path": path, "results": ids, "told": drawn.told})
        return
    say(" ".join(part for part in (f"{name}: {path}.", drawn.told) if part))


def _list(as_json: bool) -> None:
    from featbank.pages.catalog_table import print_rows
    from featbank.pages.figures import FIGURES

    rows = [
        {"name": s.name, "summary": s.summary, "title": s.title, "per_result": s.per_result}
        for s in FIGURES.values()
    ]
    if as_json:
        print_json({"figures": rows})
        return
    print_rows(rows, _COLUMNS, fold=("summary",))
