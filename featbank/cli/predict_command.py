"""``featbank predict``: apply a saved probe to a store or to new images."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import answer_option, bank_option, device_option, output_options
from featbank.cli.output import print_json, progress_bar, say, tell
from featbank.cli.step_bars import step_bars

if TYPE_CHECKING:
    from featbank.stages.predict.run import PredictReport


@click.command(name="predict")
@click.argument("source", metavar="IMAGES|STORE")
@click.option(
    "--probe",
    required=True,
    help="Result id that 'probe --save' printed, or its beginning; or the folder of a saved probe.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write: .csv, or .parquet (GeoParquet where places are known). "
    "Default: <bank>/predictions/<dataset>-<probe>.csv.",
)
@click.option("--threshold", help="0.5 (default) or tuned-f2, for probes of several labels.")
@click.option("--overwrite", is_flag=True, help="Write over any other file.")
@click.option("--weights", help="The backbone's weights file, where it is not found by itself.")
@answer_option
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    help="Folder of the named dataset; default: $FEATBANK_DATA/<dataset>.",
)
@click.option(
    "--splits",
    type=click.Path(path_type=Path),
    help="Split lists of the named dataset; default: those beside the imagery.",
)
@click.option("--chips", type=int, help="Number of chips of a synthetic dataset.")
@click.option("--limit", type=int, help="Take N samples of each split, mixed and repeatable.")
@click.option(
    "--download", is_flag=True, help="Fetch imagery and weights that are not on this machine."
)
@click.option("--batch-size", type=int, help="Chips at once; default: 64, on a GPU 256.")
@click.option("--workers", type=int, help="Reader processes; default: cores less one.")
@click.option(
    "--max-invalid",
    type=float,
    default=0.01,
    show_default=True,
    help="Share of refused images above which the run stops.",
)
@device_option
@bank_option
@output_options
def command(as_json: bool, debug: bool, **options: Any) -> None:  # noqa: ANN401
    """Predict a store, a dataset or a folder of images with a probe that 'probe --save' kept.

    \b
    Examples:
      featbank probe --clf logistic --save
      featbank predict --probe 1f0c path/to/new/chips
      featbank predict --probe 1f0c synthetic-s2 --out landscape.parquet

    Images are embedded exactly as the probe's own store was: same bands, size, normalisation
    numbers, weights and layers; nothing is fitted again, and labels are not needed. A store that
    was embedded in another way is refused. Every sample has a row: its id, whether it was embedded
    and if not why, the predicted class or labels, a probability for each class, and its place where
    that is known.
    """
    from featbank.stages.predict.run import PredictOptions, plan_prediction, predict

    with step_bars(counts_bytes=True) as fetching:
        plan = plan_prediction(PredictOptions(**options), progress=fetching)
    title = f"embedding {plan.source.dataset}"
    with progress_bar(title, "chips") if plan.source.plan else nullcontext() as progress:
        report = predict(plan, tell=tell, progress=progress)
    _print(report, as_json)


def _print(report: PredictReport, as_json: bool) -> None:
    if as_json:
        row = {name: value for name, value in vars(report).items() if name != "table"}
        print_json({"predictions": report.path, "predict": row, "results": []})
    else:
        notes = "".join(f" Note: {note}." for note in report.notes)
        say(f"{report.sentence()} Store: {report.store}.{notes}")
