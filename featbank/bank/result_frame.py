"""Results as a table that shows its headlines first in a notebook."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from featbank.record_html import Html, Number, fold_html, number_html, record_html, table_html
from featbank.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MEASURED = ("metric", "average", "threshold", "value", "low", "high", "n")
_WHERE = ("protocol", "model", "dataset", "split", "split_scheme", "label_set", "shots")
_WHICH = ("result", "note")
_TITLES = {"split_scheme": "scheme", "label_set": "labels", "low": "95 % interval", "n": "samples"}
_NEEDED = frozenset({"metric", "value", "selected", "protocol"})
_ROW = ("result", "split", "by", "by_value", "class", *_MEASURED)
_PLAIN = "_repr_html_"  # which pandas has and its stubs do not know
_ROWS_SHOWN = 1_000  # more would make a notebook's file heavy; the frame holds them all


_COLUMNS = ["class" if field.name == "class_name" else field.name for field in fields(Result)]


class ResultFrame(pd.DataFrame):
    """Results in long form, one row a metric and class: a DataFrame in all that it does.

    In a notebook it shows the headline of each result with its interval and what it was measured
    on, and folds the rest. A frame from which columns of the headline were taken shows itself as
    any DataFrame does.

    Example:
        >>> frame = ResultFrame({"metric": ["f1"], "value": [0.5]})
        >>> type(frame[frame["value"] > 0]).__name__
        'ResultFrame'
    """

    @property
    def _constructor(self) -> Callable[..., ResultFrame]:
        return ResultFrame

    @property
    def headlines(self) -> ResultFrame:
        """The row of each result that stands for it."""
        if "selected" not in self.columns:
            return self.iloc[:0]
        return self[self["selected"].fillna(value=False).astype(bool)]

    def _repr_html_(self) -> str | None:
        is_wanted = pd.get_option("display.notebook_repr_html")
        if not is_wanted or not set(self.columns) >= _NEEDED or self.headlines.empty:
            found: str | None = getattr(super(), _PLAIN)()
            return found
        headlines = self.headlines
        count = f"{len(headlines):,} result{'s' if len(headlines) > 1 else ''}"
        return record_html(count, {}, [headline_table(headlines), self._every_row()])

    def _every_row(self) -> Html:
        shown = self.head(_ROWS_SHOWN)
        more = "" if len(shown) == len(self) else f" (the first {len(shown):,} are shown)"
        title = f"all {len(self):,} rows{more}; the table holds {self.shape[1]} columns"
        return fold_html(title, _table(shown, _ROW))


def whole_frame(frame: pd.DataFrame) -> ResultFrame:
    """Results with every column of a result, empty where no file has it.

    Args:
        frame: Rows of results, whose empty columns may have been left out.
    """
    return ResultFrame(frame.reindex(columns=_COLUMNS))


def headline_table(headlines: pd.DataFrame) -> Html:
    """Headlines with value, interval, samples, protocol and where they were measured.

    Args:
        headlines: Rows of results.
    """
    return _table(headlines, (*_MEASURED, *_WHERE, *_WHICH))


def _table(frame: pd.DataFrame, wanted: Sequence[str]) -> Html:
    """Columns that say something, the ends of an interval as one."""
    names = [name for name in wanted if name in frame.columns and _says(frame[name])]
    columns = [_column(frame, name) for name in names if name != "high"]
    titles = [_TITLES.get(name, name) for name in names if name != "high"]
    return table_html(titles, zip(*columns, strict=True))


def _says(column: pd.Series[Any]) -> bool:
    return column.name == "value" or bool((column.notna() & (column.astype(str) != "")).any())


def _column(frame: pd.DataFrame, name: str) -> list[object]:
    values = frame[name].tolist()
    if name == "low":
        highs = frame["high"].tolist() if "high" in frame.columns else [None] * len(frame)
        return [_interval(low, high) for low, high in zip(values, highs, strict=True)]
    if name == "value":
        return [number_html(value) for value in values]
    if name in ("n", "shots"):
        return [None if pd.isna(value) else int(value) for value in values]
    return [None if pd.isna(value) else value for value in values]


def _interval(low: Any, high: Any) -> object:  # noqa: ANN401 - cells of a table
    if pd.isna(low) or pd.isna(high):
        return None
    return Number(f"{low:.3f} to {high:.3f}")
