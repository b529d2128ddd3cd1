"""``cases``: chips that a probe got right, wrong, and wrong with the greatest confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.catalog import suggest
from featbank.errors import StoreError, UnknownNameError
from featbank.pages.figures.drawing.needs import no_pictures
from featbank.pages.figures.drawing.sheet import ID_LETTERS, Row, Tile, draw_sheet
from featbank.pages.figures.examples import TILE_PX
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.figures.retrieval import NAME_LETTERS
from featbank.pictures.words import cut, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.pages.figures.drawing.style import DrawnFigure
    from featbank.pictures.chip_pictures import ChipPictures

_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Cases:
    """Samples worth looking at, as rows of predictions.

    Attributes:
        groups: Rows by what they are cases of; a group without any is left out.
        decided: (n, K) labels given where a sample may bear several; None for one class each.
    """

    groups: dict[str, list[int]]
    decided: Array | None = None


def cases_of(
    predictions: Predictions, *, k: int = 6, seed: int = 0, threshold: str = "0.5"
) -> Cases:
    """At most k right cases, k wrong ones drawn at random, and the k worst.

    Of one class a sample the worst are the wrong ones of greatest score; of several labels those
    with most missed and false labels, and among equals with the greatest distance of scores from
    the truth.

    Args:
        predictions: What a probe said.
        k: Cases of each kind.
        seed: Of the draw.
        threshold: Name of the thresholds that decide on labels.
    """
    truth, scores = np.asarray(predictions.truth), np.asarray(predictions.scores)
    decided = None
    if truth.ndim == 1:
        errors = (predictions.predicted != truth).astype(int)
        weight = scores.max(axis=1)
        worst = "wrong, most confident"
    else:
        decided = (scores >= _limits(predictions, threshold)).astype(int)
        errors = (decided != truth).sum(axis=1)
        weight = np.abs(scores - truth).sum(axis=1)
        worst = "most labels missed or false"
    rng = np.random.default_rng(seed)
    order = np.lexsort((-weight, -errors))
    worst_rows = [int(row) for row in order if errors[row]][:k]
    # The worst are shown once.
    others = np.setdiff1d(np.flatnonzero(errors), worst_rows)
    right = np.flatnonzero(errors == 0)
    groups = {"right": _drawn(rng, right, k), "wrong": _drawn(rng, others, k), worst: worst_rows}
    return Cases(groups={name: rows for name, rows in groups.items() if rows}, decided=decided)


def _limits(predictions: Predictions, threshold: str) -> Array:
    known = predictions.thresholds
    if threshold not in known:
        raise UnknownNameError(
            threshold,
            "no thresholds of this name are kept",
            f"one of {', '.join(known)}" if known else "predictions with thresholds",
            suggest(threshold, known),
        )
    return known[threshold]


def _drawn(rng: np.random.Generator, rows: Array, k: int) -> list[int]:
    return sorted(rng.choice(rows, min(k, len(rows)), replace=False).tolist())


def case_sheet(
    predictions: Predictions,
    pictures: ChipPictures,
    *,
    k: int = 6,
    seed: int = 0,
    threshold: str = "0.5",
    title: str = "",
) -> DrawnFigure:
    """A sheet of cases: chip, truth, prediction and its score.

    Args:
        predictions: What a probe said.
        pictures: Draws the chips.
        k: Cases of each kind.
        seed: Of the draw.
        threshold: Name of the thresholds that decide on labels.
        title: Above all; '' names the split.

    Raises:
        StoreError: There is no prediction.
        UnknownNameError: No thresholds of this name.
    """
    if not len(predictions.ids):
        raise StoreError(
            "predictions", "they hold no sample", "one or more", "Score a split that has samples."
        )
    found = cases_of(predictions, k=k, seed=seed, threshold=threshold)
    rows = []
    for heading, members in found.groups.items():
        ids = [str(predictions.ids[row]) for row in members]
        chips = pictures.thumbnails(ids, TILE_PX)
        tiles = tuple(
            Tile(
                picture=chip,
                lines=(*case_lines(predictions, row, found.decided), shortened(name, ID_LETTERS)),
                frame="right" if heading == "right" else "wrong",
            )
            for chip, row, name in zip(chips, members, ids, strict=True)
        )
        rows.append(Row(tiles=tiles, heading=heading))
    at = "" if found.decided is None else f" Labels at threshold {threshold}."
    return draw_sheet(
        rows,
        title or f"Cases of the {predictions.split} split",
        notes=f"{pictures.shown.words}.{at}",
    )


def case_lines(predictions: Predictions, row: int, decided: Array | None) -> tuple[str, ...]:
    """What was said of a sample and what is true, in words."""
    classes, scores = predictions.classes, predictions.scores[row]
    if decided is None:
        said, true = int(scores.argmax()), int(predictions.truth[row])
        told = f"{classes[said]} ({scores[said]:.2f})"
        if said == true:
            return (told,)
        return (f"said {told}", f"is {classes[true]} ({scores[true]:.2f})")
    truth = predictions.truth[row]
    kinds = {
        "missed": (truth == 1) & (decided[row] == 0),
        "false": (truth == 0) & (decided[row] == 1),
        "found": (truth == 1) & (decided[row] == 1),
    }
    wanted = ("missed", "false") if kinds["missed"].any() or kinds["false"].any() else ("found",)
    lines = [f"{kind}: {_names(kinds[kind], classes, scores)}" for kind in wanted]
    return tuple(line for line in lines if not line.endswith(": "))


def _names(chosen: Array, classes: Sequence[str], scores: Array) -> str:
    told = [
        f"{cut(classes[code], NAME_LETTERS)} ({scores[code]:.2f})"
        for code in np.flatnonzero(chosen).tolist()
    ]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return "; ".join(told[:_NAMED]) + more


def _missing(subject: Subject) -> str:
    if not subject.results or subject.predictions(subject.headlines[0].result) is None:
        return "predictions of a result"
    return no_pictures(subject)


def _draw(subject: Subject, options: FigureOptions) -> DrawnFigure:
    result = subject.headlines[0]
    predictions = subject.predictions(result.result)
    if subject.pictures is None or predictions is None:
        raise AssertionError("what is missing is asked for before anything is drawn")
    return case_sheet(
        predictions,
        subject.pictures,
        k=options.k,
        seed=options.seed,
        threshold=options.threshold,
        title=f"{result.dataset}: cases of {result.probe} on {result.model}, {result.split} split",
    )


SPECS = (
    FigureSpec(
        name="cases",
        title="Cases",
        summary="chips that the probe got right, wrong, and wrong with the greatest confidence",
        per_result=True,
        missing=_missing,
        draw=_draw,
    ),
)
