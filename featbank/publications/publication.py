"""What a publication is: a source, and the rows of its tables that bear on our datasets."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from datetime import date

from featbank.errors import CatalogError

_DATE = re.compile(r"[12]\d{3}(-\d{2}){0,2}")
_WORD = re.compile(r"\w")


def _is_date(text: object) -> bool:
    """Whether it is a year, a month or a day that there is."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return False
    with contextlib.suppress(ValueError):
        date.fromisoformat(f"{text}-01-01"[:10])
        return True
    return False


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One printed number.

    Attributes:
        dataset: Name in the datasets catalog.
        label_set: Nomenclature, as the dataset calls it.
        metric: Name in the metrics catalog.
        average: ``macro``, ``micro``; None of a metric that has one value, or where the source
            does not say.
        value: The number, as a share of 1.
        model: Backbone or method, with its bands.
        probe: What was fitted on it.
        normalisation: How the images were normalised before the backbone, in the source's word
            where it has one; the same backbone gives other numbers under another.
        commit: Commit or pull request of the source's repository that the number is of; of a
            paper or report, what it is cited by.
        date: Year, month or day (ISO 8601) of that commit or paper, as closely as it is known.
        note: What else makes it differ from a result of ours: subset, split, supervision.

    Raises:
        CatalogError: The commit or the normalisation is blank, or the date is none.
    """

    dataset: str
    label_set: str
    metric: str
    average: str | None
    value: float
    model: str
    probe: str
    normalisation: str
    commit: str
    date: str
    note: str = ""

    def __post_init__(self) -> None:
        told = ("normalisation", "commit")
        blank = [name for name in told if not _WORD.search(str(getattr(self, name) or ""))]
        lacking = [*blank, *([] if _is_date(self.date) else ["date"])]
        if lacking:
            raise CatalogError(
                f"published row of {self.model} on {self.dataset}",
                f"it lacks its {' and '.join(lacking)}",
                "the source's commit or pull request, the normalisation and a date such as 2026-08",
                "Look them up: a number that nobody can find again is not shown.",
            )

    @property
    def remark(self) -> str:
        """What stands beside the number: note, normalisation, commit and date."""
        made = f"normalisation {self.normalisation}"
        told = (self.note, made, f"{self.commit} of {self.date}")
        return "; ".join(part for part in told if part)


@dataclass(frozen=True, kw_only=True)
class PublicationSpec:
    """A catalog entry.

    Attributes:
        name: Short name that stands beside each number.
        source: Paper, or repository and file.
        rows: Its numbers.
    """

    name: str
    source: str
    rows: tuple[PublishedRow, ...]
