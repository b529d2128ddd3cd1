"""All that ``featbank probe`` shows of one probe on one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.pages.baseline_table import print_baselines
from featbank.pages.candidate_table import chosen_rows, print_candidates
from featbank.pages.few_shot_table import print_few_shot
from featbank.pages.published_table import print_published
from featbank.pages.result_table import print_results

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.stages.probe.cells import Cell


def print_probe(cell: Cell, *, confusion: Array | None = None) -> None:
    """Print its tables, then what stands beside it: candidates, baselines, published numbers.

    Args:
        cell: The probe and its baselines.
        confusion: (K, K) counts to print too; None leaves them out.
    """
    results = cell.report.results
    if cell.headline.shots is not None:
        print_few_shot(results)
    else:
        print_results(chosen_rows(results), confusion=confusion)
        print_candidates(results)
    print_baselines(cell.headline, cell.baselines, hint=cell.hint, troubles=cell.troubles)
    print_published(results)
