"""``featbank map``: a store in two dimensions, and how far to believe it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import bank_option, output_options
from featbank.cli.output import print_json, say
from featbank.cli.step_bars import step_bars
from featbank.errors import UsageError

if TYPE_CHECKING:
    from featbank.stages.map.run import MapReport


@click.command(name="map")
@click.option(
    "--projection", default="umap", show_default=True, help="umap or pca; see above for both."
)
@click.option("--store", type=click.Path(path_type=Path), help="Store to map. Default: the newest.")
@click.option("--model", help="Or by backbone.")
@click.option("--dataset", help="Or by dataset, as 'embed'.")
@click.option("--features", help="cls, mean or cls+mean; default: the backbone's own.")
@click.option("--layer", type=int, help="Block index; default: the last one stored.")
@click.option("--split", help="Map train, val or test alone; default: all samples.")
@click.option("--split-scheme", help="Split scheme of --split; default: the dataset's first.")
@click.option("--labels", help="Label set of the purity and the colours; default: the first.")
@click.option("--neighbors", type=int, help="umap: neighbours with the chip itself; default: 15.")
@click.option("--min-dist", type=float, help="umap: least distance of chips; default: 0.1.")
@click.option("--epochs", type=int, help="umap: default 500, of more than 10,000 chips 200.")
@click.option(
    "--fit-samples",
    type=int,
    default=100_000,
    show_default=True,
    help="Chips that the layout is fitted on; the rest is placed into it.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the layout.")
@click.option("--again", is_flag=True, help="Make anew what stands in the bank.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the map too: .svg, .png or .pdf.",
)
@click.option("--by", help="Colours of --out: class, split, labels, a column, or one class's name.")
@bank_option
@output_options
def command(
    as_json: bool,
    debug: bool,
    out: Path | None,
    by: str | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Lay the chips of a store out in two dimensions, and tell how far to believe it.

    \b
    Examples:
      featbank map
      featbank map --model vit-tiny --dataset path/to/AID --out map.png
      featbank map --projection pca --out map.svg --by split

    \b
    Projections:
      umap  neighbours stay together: the graph of the exact nearest neighbours by
            cosine in all features, laid out from the principal components; the
            same seed gives the same map to the last bit on one machine
      pca   the plane of most variance: plain, but most neighbours get lost

    Beside the map stand its trustworthiness and continuity, the share of neighbours that it
    keeps, and for each class the share of a chip's neighbours that bear it too, in the features,
    on the map and by chance. A map that stands in the bank is read, not made again.
    """
    from featbank.stages.map.run import MapOptions, map_features

    _require_drawable(out, by)
    with step_bars(counts_bytes=False) as advance:
        report = map_features(MapOptions(**options), progress=advance)
    drawn = _draw(report, out, by=by, labels=options["labels"]) if out else None
    if as_json:
        print_json(_as_json(report, drawn))
        return
    _print(report, drawn, options["bank"])


def _require_drawable(out: Path | None, by: str | None) -> None:
    """Refuse what cannot be drawn before the map is made, which takes longer."""
    if out is None:
        if by is not None:
            raise UsageError("--by", "nothing is drawn", "--out beside it", "Name a file.")
        return
    from featbank.pages.figures.drawing.style import SUFFIXES

    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(
            str(out), f"its suffix is '{out.suffix}'", " or ".join(SUFFIXES), "Name it so."
        )


def _draw(report: MapReport, out: Path, *, by: str | None, labels: str | None) -> Path:
    from featbank.pages.figures.drawing.style import own_style, save_figure
    from featbank.pages.figures.feature_map import feature_map

    with own_style():
        return save_figure(feature_map(report.map, report.store, by=by, label_set=labels), out)


def _print(report: MapReport, drawn: Path | None, bank: Path) -> None:
    from featbank.pages.map_page import print_map

    print_map(report)
    if drawn is not None:
        say(f"{drawn}: drawn.")
    state = "" if report.is_new else " found"
    say(f"{report.path}: {len(report.map)} chips{state}. Bank: {bank}.")


def _as_json(report: MapReport, drawn: Path | None) -> dict[str, Any]:
    found = report.map
    return {
        "map": str(report.path),
        "id": found.id,
        "is_new": report.is_new,
        "store": str(report.store.path),
        "figure": drawn and str(drawn),
        "n": len(found),
        "n_fitted": int(found.is_fitted.sum()),
        "recipe": dict(found.recipe),
        "quality": dict(found.quality),
        "belief": report.belief,
        "purity": None if report.purity is None else asdict(report.purity),
        "environment": dict(found.environment),
    }
