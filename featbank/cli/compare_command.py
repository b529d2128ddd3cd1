"""``featbank compare``: is one result better than another, beyond chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from featbank.cli.options import SEED, bank_option, output_options
from featbank.cli.output import print_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="compare")
@click.argument("results", nargs=-1, metavar="[A B ...]")
@click.option("--dataset", help="Instead of ids: all results of this dataset,")
@click.option("--model", help="of this backbone,")
@click.option("--probe", help="of this probe,")
@click.option("--protocol", help="of this protocol,")
@click.option("--labels", help="of this label set,")
@click.option("--split-scheme", help="of this split scheme,")
@click.option("--features", help="on these features.")
@click.option("--metric", help="Metric to compare by; default: the headline's.")
@click.option("--average", help="macro, micro, weighted or samples; default: the first it has.")
@click.option(
    "--threshold",
    default="0.5",
    show_default=True,
    help="Decisions on labels: 0.5, or tuned-f2.",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="Bootstrap resamples.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the bootstrap.")
@bank_option
@output_options
def command(
    results: tuple[str, ...],
    bank: Path,
    as_json: bool,
    debug: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Tell whether results differ by more than chance, on the samples that all of them scored.

    \b
    Examples:
      featbank compare 3f9c21 a07b44
      featbank compare --dataset AID --protocol featbank-knn
      featbank compare 3f9c21 a07b44 --metric f2 --threshold tuned-f2

    A and B are ids of results, as their files in the bank's results/ are named; the first digits
    suffice. Each pair is resampled together (whole groups where the results say so): the interval
    is that of their difference, of this pair alone, and two-sided p-values are corrected by Holm
    for all pairs. Both are of the fitted probes on new samples: they leave out how scores vary
    with training sets and splits.
    """
    from featbank.stages.compare.run import CompareOptions, compare_results

    found = compare_results(CompareOptions(results=results, bank=bank, **options))
    if as_json:
        print_json({"comparisons": found.rows()})
        return
    from featbank.pages.comparison_page import print_comparison

    print_comparison(found)
