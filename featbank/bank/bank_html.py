"""A bank as a notebook shows it: its stores, and the headline of each result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.bank.result_frame import ResultFrame, headline_table
from featbank.bank.results import read_results
from featbank.bank.store_index import store_names
from featbank.errors import FeatbankError
from featbank.record_html import Html, fold_html, record_html, table_html

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.bank.bank import Bank

_SHOWN = 50  # results that a page of a notebook holds without being drowned in them


def bank_html(bank: Bank) -> Html:
    """The bank in HTML; of stores only what they are called is read.

    Args:
        bank: A bank, which need not exist yet.
    """
    stores, results = bank.stores(), ResultFrame(read_results(bank))
    headlines = results.headlines
    maps = len(list((bank.root / "maps").glob("*.parquet")))
    facts = {"stores": len(stores), "results": len(headlines), "maps": maps}
    parts = [_stores(bank, stores)] if stores else []
    if len(headlines):
        title = f"{min(len(headlines), _SHOWN)} of {len(headlines)} results"
        parts.append(fold_html(title, headline_table(headlines.tail(_SHOWN))))
    return record_html(f"Bank: {bank.root}", facts, parts)


def _stores(bank: Bank, stores: list[Path]) -> Html:
    newest = _newest(bank)
    rows = [
        (
            names.datasets[0],
            names.model,
            path.relative_to(bank.root),
            "newest" if path == newest else "",
        )
        for path, names in ((path, store_names(path)) for path in stores)
    ]
    return table_html(("dataset", "model", "store", ""), rows)


def _newest(bank: Bank) -> Path | None:
    try:
        return bank.newest()
    except FeatbankError:
        return None
