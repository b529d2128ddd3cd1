"""How often 95 % intervals hold the score of a fixed probe on new groups, on made test sets.

Each cell of groups, sizes, correlation and score is drawn 2,000 times. Accuracy stands beside the
intervals that one might use instead, macro F1 and macro average precision beside the percentile
bootstrap. ``python -m tests.benchmarks.interval_coverage`` writes the tables of
``docs/intervals.md`` from ``results.json``.
"""

from __future__ import annotations

import itertools
import json
import re
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.metrics.average_precision import average_precision
from featbank.metrics.scoring.intervals import grouped_interval, jackknife
from featbank.metrics.scoring.ranking import rank
from tests.benchmarks import grouped_draws
from tests.benchmarks.grouped_draws import Cell
from tests.benchmarks.interval_alternatives import alternatives

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS, RESAMPLES, LOOPED = 2000, 200, 200
P, ICC, GROUPS = (0.7, 0.9, 0.97, 0.99), (0.0, 0.1, 0.3), (5, 10, 20, 40, 100)
HELD = (5, 6, 8, 12, 20)  # groups of 40 that hold the class of a recall
TARGET = 0.93
PAGE = Path(__file__).resolve().parents[2] / "docs" / "intervals.md"
Found = dict[str, float]


@dataclass(frozen=True)
class Coverage:
    """One metric in every cell; a benchmark."""

    run: Callable[[Any, Cell, int], Found]
    fews: tuple[bool, ...] = (False, True)
    groups: tuple[int, ...] = GROUPS

    def measure(self, shared: Path, repeats: int = REPEATS) -> dict[str, Any]:
        cells = [
            Cell(groups=g, p=p, icc=icc, is_equal=is_equal, few=few)
            for few, is_equal, g, icc, p in itertools.product(
                self.fews, (True, False), self.groups, ICC, P
            )
        ]
        rng = np.random.default_rng(0)
        found = [self.run(rng, cell, repeats) for cell in cells]
        return {"repeats": repeats, "summary": summary(found), "cells": table(cells, found)}


def accuracy(rng: Any, cell: Cell, repeats: int) -> Found:
    right, sizes = grouped_draws.accuracy_draw(
        rng, repeats=repeats, groups=cell.groups, p=cell.p, icc=cell.icc, is_equal=cell.is_equal
    )
    value, left_out = grouped_draws.accuracy_left_out(right, sizes)
    trials, squares = sizes.sum(axis=1), (left_out - value) ** 2
    spread, total = jackknife(value, left_out), squares.sum(axis=0)
    share = total / np.maximum(total + squares.max(axis=0), 1e-300)
    once = replace(spread, variance=spread.variance * share)
    held = np.full(repeats, float(cell.groups))
    intervals = {
        "ours": ours(value, left_out, trials=trials),
        "ours, the farthest move counted once": grouped_interval(
            value, once, units=held, trials=trials
        ),
    }
    return covered(intervals | alternatives(right, sizes), cell.p)


def macro_f1(rng: Any, cell: Cell, repeats: int) -> Found:
    counts = grouped_draws.counts_draw(rng, repeats, cell)
    total = counts.sum(axis=2)
    left_out = [grouped_draws.macro_f1(total - counts[:, :, g]) for g in range(cell.groups)]
    drawn = [
        grouped_draws.macro_f1(np.einsum("g,crgk->crk", times, counts[:, :LOOPED]))
        for times in resamples_of(cell.groups).T
    ]
    intervals = {
        "ours": ours(grouped_draws.macro_f1(total), np.stack(left_out)),
        "percentile bootstrap": np.quantile(drawn, [0.025, 0.975], axis=0),
    }
    return covered(intervals, grouped_draws.macro_f1_truth(cell))


def macro_map(rng: Any, cell: Cell, repeats: int) -> Found:
    distance = grouped_draws.distance_of(cell)
    whole, without = np.ones((cell.groups, 1)), 1 - np.eye(cell.groups)
    resampled = resamples_of(cell.groups)
    measured, drawn = [], []
    for repeat in range(repeats):
        parts = [whole, without, *([resampled] if repeat < LOOPED else [])]
        times = np.concatenate(parts, axis=1).astype(np.uint8)
        truth, scores, codes = grouped_draws.ranking_draw(rng, cell, distance)
        rankings = [rank(t, s, codes) for t, s in zip(truth.T, scores.T, strict=True)]
        means = np.nanmean([average_precision(each, times) for each in rankings], axis=0)
        measured.append(means[: cell.groups + 1])
        drawn.append(means[cell.groups + 1 :])
    values = np.stack(measured, axis=1)
    found = covered({"ours": ours(values[0], values[1:])}, cell.p)
    replicates = np.stack(drawn[:LOOPED], axis=1)
    bootstrap = {"percentile bootstrap": np.quantile(replicates, [0.025, 0.975], axis=0)}
    return found | covered(bootstrap, cell.p)


def recall_of_few(rng: Any, cell: Cell, repeats: int) -> Found:
    """A class that ``cell.groups`` of 40 groups hold: the others never move its recall."""
    right, sizes = grouped_draws.accuracy_draw(
        rng, repeats=repeats, groups=cell.groups, p=cell.p, icc=cell.icc, is_equal=cell.is_equal
    )
    value, left_out = grouped_draws.accuracy_left_out(right, sizes)
    others = np.tile(value, (40 - cell.groups, 1))
    found = ours(
        value, np.concatenate([left_out, others]), trials=sizes.sum(axis=1), units=cell.groups
    )
    return covered({"ours": found}, cell.p)


def ours(value: Any, left_out: Any, *, trials: Any = None, units: int | None = None) -> Any:
    held = np.full(len(value), float(units or len(left_out)))
    return grouped_interval(value, jackknife(value, left_out), units=held, trials=trials)


def resamples_of(groups: int) -> Any:
    """(G, B) how often each group is drawn."""
    chance = np.full(groups, 1 / groups)
    return np.random.default_rng(0).multinomial(groups, chance, RESAMPLES).T


def covered(intervals: dict[str, Any], truth: float) -> Found:
    """Share of intervals that hold the truth, and the mean width of ours."""
    found = {
        name: float(np.mean((low <= truth) & (truth <= high)))
        for name, (low, high) in intervals.items()
    }
    if "ours" in intervals:
        found["width"] = float(np.mean(intervals["ours"][1] - intervals["ours"][0]))
    return found


def summary(found: list[Found]) -> dict[str, Any]:
    """By method: least and median coverage, and cells below the target."""
    return {
        name: {
            "least": round(min(each[name] for each in found), 3),
            "median": round(statistics.median(each[name] for each in found), 3),
            "below_target": sum(each[name] < TARGET for each in found),
            "cells": len(found),
        }
        for name in found[0]
        if name != "width"
    }


def table(cells: list[Cell], found: list[Found]) -> dict[str, str]:
    """Coverage of ours for each p, then mean widths, one line a row of cells."""
    rows: dict[str, list[Found]] = {}
    for cell, each in zip(cells, found, strict=True):
        sizes = "equal" if cell.is_equal else "unequal"
        few = ", some classes in about 6 groups" if cell.few else ""
        rows.setdefault(f"{cell.groups} {sizes}, icc {cell.icc:g}{few}", []).append(each)
    return {
        name: " ".join(f"{each[key]:.3f}" for key in ("ours", "width") for each in row)
        for name, row in rows.items()
    }


ACCURACY = Coverage(accuracy, fews=(False,))
RECALL = Coverage(recall_of_few, fews=(False,), groups=HELD)
MACRO_F1 = Coverage(macro_f1)
MACRO_MAP = Coverage(macro_map)
NAMES = {
    "interval-coverage": "Accuracy",
    "interval-coverage-recall": "Recall of a class that some of 40 groups hold",
    "interval-coverage-f1": "Macro F1",
    "interval-coverage-map": "Macro average precision",
}


def tables(results: dict[str, Any]) -> str:
    """What the benchmarks found, as Markdown."""
    return "\n".join(_one_table(title, results[name]) for name, title in NAMES.items())


def _one_table(title: str, result: dict[str, Any]) -> str:
    head = " | ".join(f"{p:g}".replace("0.", ".") for p in P)
    lines = [f"### {title}", "", f"| groups, sizes, correlation | {head} | mean widths |"]
    lines += ["|---" * (len(P) + 2) + "|"]
    for name, numbers in result["cells"].items():
        said = [_short(each) for each in numbers.split()]
        cells = [f"**{each}**" if float(each) < TARGET else each for each in said[: len(P)]]
        lines.append(f"| {name} | {' | '.join(cells)} | {' '.join(said[len(P) :])} |")
    lines += ["", "| method | least | median | cells below .93 |", "|---|---|---|---|"]
    for name, each in result["summary"].items():
        below = f"{each['below_target']} of {each['cells']}"
        lines.append(f"| {name} | {_short(each['least'])} | {_short(each['median'])} | {below} |")
    return "\n".join([*lines, ""])


def _short(value: float | str) -> str:
    return f"{float(value):.3f}".replace("0.", ".", 1)


def page(text: str, results: dict[str, Any]) -> str:
    """A page with its tables as the results say them."""
    marks = r"(?s)(?<=<!-- tables -->\n).*(?=<!-- end of tables -->)"
    return re.sub(marks, lambda _: tables(results), text)


if __name__ == "__main__":
    found_results = json.loads(Path(__file__).with_name("results.json").read_text())
    PAGE.write_text(page(PAGE.read_text(), found_results))
