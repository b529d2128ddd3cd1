"""``featbank probe``: fit and score a probe on a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import bank_option, output_options
from featbank.cli.output import print_json, progress_bar

if TYPE_CHECKING:
    from featbank.stages.probe import ProbeOptions, ProbeReport


@click.command(name="probe")
@click.option("--clf", required=True, help="knn, linear, logistic, mlp or forest; see above.")
@click.option(
    "--store",
    "stores",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Store to probe; may be repeated. Default: the newest.",
)
@click.option("--model", "models", multiple=True, help="Or by backbone; may be repeated.")
@click.option("--dataset", help="Or by dataset, as 'embed' takes it.")
@click.option("--features", help="cls, mean or cls+mean; default: the backbone's own.")
@click.option("--layer", type=int, help="Block index; default: the last one stored.")
@click.option("--labels", help="Label set; default: the dataset's first.")
@click.option("--split-scheme", help="Split scheme; default: the dataset's first.")
@click.option("--k", type=int, help="Neighbours of the knn probe; default: 20.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap too.")
@click.option("--resamples", type=int, default=1000, show_default=True, help="Bootstrap resamples.")
@click.option(
    "--confusion", is_flag=True, help="Print the confusion matrix too; not for several labels."
)
@bank_option
@output_options
def command(
    stores: tuple[Path, ...],
    models: tuple[str, ...],
    k: int | None,
    as_json: bool,
    debug: bool,
    confusion: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Fit a probe on train, choose on validation, score once on test, with intervals.

    \b
    Examples:
      featbank probe --clf knn
      featbank probe --clf logistic --model vit-tiny --dataset path/to/AID
      featbank probe --clf forest --split-scheme random-1 --confusion

    \b
    Probes, from the plainest; each takes one class a sample or several labels:
      knn       softmax-weighted vote of the 20 nearest by cosine; nothing is fitted
      linear    one linear layer by SGD, its learning rate swept: DINOv2's linear
                probe, but on cached features, so without its augmentation
      logistic  the same layer with an L2 penalty, by L-BFGS to convergence, its
                strength swept; one-vs-rest where a sample bears several labels
      mlp       one hidden layer of 512 units, by AdamW, on standardised features
      forest    extremely randomised trees, bounded in number and size

    The headline is accuracy, or macro mAP where a sample may bear several labels; decisions on
    labels are then scored at 0.5 and at thresholds tuned for F2 on validation, side by side.
    """
    from featbank.stages.probe import ProbeOptions

    params = {} if k is None else {"k": k}
    runs: list[dict[str, Any]] = [{"store": store} for store in stores]
    runs += [{"model": model} for model in models]
    for run in runs or [{}]:
        _run(ProbeOptions(params=params, confusion=confusion, **options, **run), as_json)


def _run(options: ProbeOptions, as_json: bool) -> None:
    from featbank.stages.probe import probe_store

    with progress_bar(f"probe {options.clf}", "fits") as progress:
        report = probe_store(options, progress=progress)
    if as_json:
        print_json(_as_json(report))
        return
    from featbank.pages.result_table import print_results

    print_results(report.results, confusion=report.confusion if options.confusion else None)
    click.echo(f"{report.results_path}: {len(report.results)} rows. Bank: {options.bank}.")


def _as_json(report: ProbeReport) -> dict[str, Any]:
    confusion = report.confusion
    return {
        "store": report.results[0].store,
        "results_path": str(report.results_path),
        "predictions_path": str(report.predictions_path),
        "classes": list(report.classes),
        "confusion": None if confusion is None else confusion.astype(int).tolist(),
        "results": [result.as_row() for result in report.results],
    }
