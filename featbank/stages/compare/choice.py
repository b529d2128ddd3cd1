"""Which results of a bank a comparison speaks of, and what they are called in text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.bank.results import read_result, readable_result
from featbank.errors import MissingPathError, UsageError
from featbank.lookup.result_names import complete_id
from featbank.lookup.stores import dataset_name, of_other_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.bank import Bank
    from featbank.result import Result
    from featbank.stages.compare.options import CompareOptions

_NEEDED = "results that 'featbank probe' has kept with their predictions"


def chosen_results(bank: Bank, options: CompareOptions) -> list[Result]:
    """The headline rows of the results that are compared, two or more.

    Results named by id keep their order; others follow from the best to the worst.

    Raises:
        UnknownNameError: No result has such an id.
        UsageError: An id that several results begin with, one result twice, fewer than two
            results, several label sets, or ids and other conditions at once.
        MissingPathError: A result without predictions.
    """
    if options.results and _asked(options):
        raise UsageError(
            "compare",
            f"both results and what they have in common are named: {', '.join(_asked(options))}",
            "one of both",
            "Leave the ids out, or the other options.",
        )
    kept = _named(bank, options.results) if options.results else _filtered(bank, options)
    if len(kept) < 2:
        raise UsageError(
            str(bank.root),
            f"{len(kept)} of its results {'is' if len(kept) == 1 else 'are'} meant",
            "two or more",
            "Name results by their ids, or fewer conditions such as --model; 'featbank probe' "
            "makes results.",
        )
    return kept


def _named(bank: Bank, ids: Sequence[str]) -> list[Result]:
    paths = sorted(bank.result_path("x").parent.glob("*.parquet"))
    known = [path.stem for path in paths]
    found = [complete_id(bank, prefix, known) for prefix in ids]
    for result in found:
        if found.count(result) > 1:
            raise UsageError(
                result, "it is named twice", "different results", "Leave one of them out."
            )
        if not bank.predictions_path(result).exists():
            raise MissingPathError(
                result,
                "its predictions are not in the bank",
                _NEEDED,
                "Repeat the probe; few-shot runs keep no predictions.",
            )
    return [_head(bank, result) for result in found]


def _asked(options: CompareOptions) -> dict[str, str]:
    """What all results must have in common, by field of their rows."""
    dataset = None if options.dataset is None else dataset_name(options.dataset)
    wanted = {
        "dataset": dataset,
        "model": options.model,
        "probe": options.probe,
        "protocol": options.protocol,
        "label_set": options.labels,
        "split_scheme": options.split_scheme,
        "feature": options.features,
    }
    return {field: value for field, value in wanted.items() if value is not None}


def _filtered(bank: Bank, options: CompareOptions) -> list[Result]:
    asked = _asked(options)
    if not asked:
        raise UsageError(
            "compare",
            "neither results nor what they have in common are named",
            "ids of results, or --dataset",
            "Name two results, or a dataset whose results are compared.",
        )
    paths = sorted(bank.predictions_path("x").parent.glob("*.parquet"))
    found = (bank.result_path(path.stem) for path in paths)
    every = (rows for path in found if path.exists() and (rows := readable_result(path)))
    heads = [_headline(rows) for rows in every]
    kept = [h for h in heads if all(_has(h, field, value) for field, value in asked.items())]
    others = of_other_folders(bank, options.dataset)
    kept = [head for head in kept if Path(head.store).name not in others]
    for field, option in (("dataset", "--dataset"), ("label_set", "--labels")):
        values = {getattr(head, field): head.result for head in kept}
        if len(values) > 1:
            each = ", ".join(f"{value} (of {values[value]})" for value in sorted(values))
            raise UsageError(
                option,
                f"the results have {len(values)} of it: {each}",
                "one",
                f"Choose one with {option}.",
            )
    return sorted(kept, key=lambda head: (-head.value, head.result))


def _has(head: Result, field: str, value: str) -> bool:
    known = [head.split_scheme, head.split_alias] if field == "split_scheme" else []
    return value in (known or [getattr(head, field)])


def _head(bank: Bank, result: str) -> Result:
    return _headline(read_result(bank.result_path(result)))


def _headline(rows: Sequence[Result]) -> Result:
    return next((row for row in rows if row.selected), rows[0])
