"""A report of very many samples, without a store on disk: what a page of the largest kind holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np

from featbank.bank.bank import Bank
from featbank.bank.maps import FeatureMap
from featbank.pages.report import write_report
from featbank.stages.report.content import Facts, ReportContent
from featbank.stages.report.options import ReportOptions

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = tuple(f"class {k}" for k in range(19))
# Pans a map thirty times, one step a frame, and gives the times between frames in ms.
PAN = """
const done = arguments[0], s = document.querySelector('#explorer').featbank.scatter, times = [];
let last = 0;
function step(now) {
  if (last) times.push(now - last);
  last = now;
  s.panBy(4, times.length % 20 < 10 ? 2 : -2);
  if (times.length < 30) requestAnimationFrame(step); else done(times);
}
requestAnimationFrame(step);"""


class ManyStore:
    """What a page asks of a store, in memory."""

    label_sets, split_schemes, column_names = ("class",), ("random-0",), ("split_random-0",)

    def __init__(self, n):
        rng = np.random.default_rng(0)
        self.ids = np.array([f"scene-{i // 500:04d}/chip-{i:06d}" for i in range(n)], dtype=object)
        self.codes = rng.integers(len(CLASSES), size=n).astype(np.int32)
        self.splits = np.array(["train", "val", "test"], dtype=object)[rng.integers(3, size=n)]

    def labels(self, label_set=None):
        return self.codes

    def classes(self, label_set=None):
        return CLASSES

    def split(self, scheme=None):
        return self.splits


class TurnedPictures:
    """Pictures of any id: a few true chips, turned and shifted so that no two are alike."""

    def __init__(self, chips):
        self.chips = chips

    def thumbnails(self, ids, side_px):
        numbers = [int(sample.rsplit("-", 1)[1]) for sample in ids]
        turned = [np.rot90(self.chips[k % len(self.chips)], k // len(self.chips)) for k in numbers]
        return np.stack([np.roll(t, k % 61, axis=0) for t, k in zip(turned, numbers, strict=True)])


@dataclass
class ManySubject:
    store: ManyStore
    pictures: TurnedPictures
    label_set: str = "class"
    split_scheme: str = "random-0"
    no_pictures: str = ""


def write_many_points(folder: Path, chips, n=100_000):
    """Write the page of n samples, without figures: those are drawn of true stores."""
    with patch("featbank.pages.report.page.draw_figures", lambda _content: ([], [])):
        return write_report(many_points(folder, chips, n))


def many_points(folder: Path, chips, n):
    """A report of n samples whose pictures are made of (k, 64, 64, 3) chips."""
    store = ManyStore(n)
    centres = np.random.default_rng(1).normal(size=(len(CLASSES), 2)) * 6
    xy = centres[store.codes] + np.random.default_rng(2).normal(size=(n, 2))
    found = FeatureMap(id="0" * 16, ids=store.ids, xy=xy.astype(np.float32),
                       is_fitted=np.ones(n, bool), recipe={"projection": "umap"})  # fmt: skip
    return ReportContent(
        options=ReportOptions(),
        bank=Bank(folder),
        title="Very many points",
        facts=Facts(name="many", n=n, refused=0),
        subject=ManySubject(store, TurnedPictures(chips)),
        results=(),
        names=(),
        stores=(),
        runs=(),
        map=found,
        no_map="",
        out=folder / "many.html",
    )
