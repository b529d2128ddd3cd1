"""``featbank probe``: fit and score probes on stores."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import (
    bank_option,
    device_option,
    integers,
    names,
    output_options,
    parameters,
)
from featbank.cli.output import print_json, progress_bar, say

if TYPE_CHECKING:
    from featbank.stages.probe.cells import Cell
    from featbank.stages.probe.run import ProbeOptions, ProbeReport


@click.command(name="probe")
@click.option("--clf", help="knn, linear, logistic, mlp, forest (see above), or a package's own.")
@click.option("--protocol", help="Named recipe of the field; see 'featbank protocols'.")
@click.option(
    "--store",
    "stores",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Store to probe; may be repeated. Default: the newest.",
)
@click.option("--model", "models", multiple=True, help="Or by backbone; may be repeated.")
@click.option(
    "--dataset", "datasets", multiple=True, help="Or by dataset, as 'embed'; may be repeated."
)
@click.option(
    "--concat",
    nargs=2,
    multiple=True,
    metavar="A B",
    help="Join the features of two stores (paths, or models of --dataset) by sample.",
)
@click.option(
    "--test-store",
    type=click.Path(path_type=Path),
    help="Score on this store instead: another region, season, sensor or dataset.",
)
@click.option("--test-labels", help="Label set of --test-store, where it has another name.")
@click.option(
    "--test-split",
    type=click.Choice(["test", "all"]),
    default="test",
    show_default=True,
    help="Samples of --test-store that are scored.",
)
@click.option("--allow-mismatch", is_flag=True, help="Let --test-store be embedded in another way.")
@click.option("--features", help="cls, mean or cls+mean; default: the backbone's own.")
@click.option("--layer", type=int, help="Block index; default: the last one stored.")
@click.option("--labels", help="Label set; default: the dataset's first.")
@click.option(
    "--split-scheme",
    help="Split scheme, such as block-1km-0 or stratified-0, or its other name, random-0; default: "
    "the dataset's first.",
)
@click.option(
    "--buffer",
    type=float,
    metavar="METRES",
    help="Fit and choose on nothing nearer than this to a test sample: such train and validation "
    "samples are left out, and those without a known place.",
)
@click.option("--k", type=int, help="Neighbours of the knn probe; default: 20.")
@click.option(
    "--param",
    "params",
    multiple=True,
    callback=parameters,
    metavar="NAME=VALUE",
    help="Fix any other parameter of the probe, such as C=1; may be repeated.",
)
@click.option(
    "--shots",
    callback=integers,
    default="",
    metavar="N,N,…",
    help="Few-shot: fit on N training samples of each class, and choose on as many of validation.",
)
@click.option("--tries", type=int, default=5, show_default=True, help="Draws of --shots.")
@click.option(
    "--by",
    callback=names,
    default="",
    metavar="COLUMN,…",
    help="Results by the values of a column too: country, season, group, ….",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the probe, of its folds and of the intervals.",
)
@click.option(
    "--seeds",
    type=int,
    default=5,
    show_default=True,
    help="Fits of a random probe (linear, mlp, forest), for the spread of its seeds.",
)
@click.option(
    "--resamples",
    type=int,
    help="Parts that intervals leave out, at most; 0: no intervals. Default: the protocol's, or "
    "1000.",
)
@click.option(
    "--confusion", is_flag=True, help="Print the confusion matrix too; not for several labels."
)
@click.option("--save", is_flag=True, help="Keep the fitted probe for 'featbank predict'.")
@click.option("--leaderboard", is_flag=True, help="Rank all that was probed.")
@click.option("--no-baselines", is_flag=True, help="Leave image statistics and rcf out.")
@device_option
@click.option("--again", is_flag=True, help="Fit anew what stands in the bank.")
@bank_option
@output_options
def command(
    stores: tuple[Path, ...],
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    **options: Any,  # noqa: ANN401
) -> None:
    """Fit a probe on a store's features, choose its parameters, score it on test.

    featbank's own protocols fit each candidate on train, take the best on validation, fit it
    again on train and validation together, and score that on test; knn and forest have nothing
    to choose, and few-shot runs fit on the shots alone. Where a scheme has no validation samples,
    a fifth of train takes their place. Protocols of other authors may do otherwise: 'featbank
    protocols NAME' says how.

    \b
    Examples:
      featbank probe --clf knn
      featbank probe --clf logistic --model vit-tiny --dataset path/to/AID
      featbank probe --protocol dinov2-knn --shots 1,5,10
      featbank probe --clf mlp --model dofa --model rcf --dataset bigearthnet-s1 --leaderboard

    \b
    Probes, from the plainest; each takes one class a sample or several labels:
      knn       softmax-weighted vote of the 20 nearest by cosine; nothing is fitted
      linear    one linear layer by SGD, its learning rate swept as in DINOv2's
                linear probe, but on cached features, so without augmentation
      logistic  the same layer with an L2 penalty, by L-BFGS (a note says where it
                did not converge), its strength swept; one problem a label where a
                sample bears several
      mlp       one hidden layer, its width and dropout swept, on standardised
                features
      forest    extremely randomised trees, bounded in number and size

    The headline is accuracy, or macro mAP where a sample may bear several labels; decisions on
    labels are then scored at 0.5 and at thresholds tuned for F2 side by side. Thresholds and the
    temperature of calibration are fitted on held-out folds of what the scored probe is fitted on;
    or on validation, where the candidates were fitted on the same samples, or where such folds
    cannot be made. What stands in the bank is read, not fitted again.
    """
    from featbank.stages.probe.cells import cells_asked

    names = ("as_json", "leaderboard", "no_baselines")
    shown = {name: options.pop(name) for name in names}
    asked = cells_asked(_options(**options), stores=stores, models=models, datasets=datasets)
    _run(asked, **shown)


def _options(
    *,
    k: int | None,
    debug: bool,
    concat: tuple[tuple[str, str], ...],
    **rest: Any,  # noqa: ANN401
) -> ProbeOptions:
    from featbank.stages.probe.run import ProbeOptions

    rest["params"] |= {} if k is None else {"k": k}
    joined = tuple(dict.fromkeys(name for pair in concat for name in pair))
    return ProbeOptions(concat=joined, **rest)


def _run(
    asked: list[ProbeOptions], *, as_json: bool, leaderboard: bool, no_baselines: bool
) -> None:
    from featbank.stages.probe.cells import probe_cells

    cells: list[Cell] = []
    bar = partial(progress_bar, unit="fits")
    for cell in probe_cells(asked, baselines=not no_baselines, progress=bar):
        cells.append(cell)
        if not as_json:
            _print(cell, confusion=asked[0].confusion, bank=asked[0].bank)
    if as_json:
        print_json(_as_json(cells))
    elif leaderboard:
        from featbank.pages.leaderboard import print_leaderboard
        from featbank.stages.probe.cells import ranked

        print_leaderboard(ranked(cells))


def _print(cell: Cell, *, confusion: bool, bank: Path) -> None:
    from featbank.pages.probe_page import print_probe

    report = cell.report
    print_probe(cell, confusion=report.confusion if confusion else None)
    state = "" if report.is_new else " found"
    say(f"{report.results_path}: {len(report.results)} rows{state}. Bank: {bank}.")
    if report.saved_path is not None:
        name = report.saved_path.name
        say(f"{report.saved_path}: saved. Use: featbank predict --probe {name} IMAGES|STORE")


def _as_json(cells: list[Cell]) -> dict[str, Any]:
    first = _report_json(cells[0])
    return first if len(cells) == 1 else {"cells": [_report_json(cell) for cell in cells]}


def _report_json(cell: Cell) -> dict[str, Any]:
    report: ProbeReport = cell.report
    confusion = report.confusion
    return {
        "store": report.results[0].store,
        "results_path": str(report.results_path),
        "saved_path": report.saved_path and str(report.saved_path),
        "predictions_path": report.predictions_path and str(report.predictions_path),
        "classes": list(report.classes),
        "confusion": None if confusion is None else confusion.astype(int).tolist(),
        "results": [result.as_row() for result in report.results],
        "baselines": [result.as_row() for result in cell.baselines],
    }
