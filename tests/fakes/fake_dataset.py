"""Small made datasets in memory, put in place of what a name opens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from featbank.bands import SENTINEL1
from featbank.datasets import Dataset
from featbank.datasets.dataset import BandStatistics, Masks
from featbank.errors import DecodeError
from featbank.image import Grid
from featbank.samples import LabelSet, Samples

SIDE = 24
CLASSES = ("water", "wood")


@dataclass(frozen=True)
class RadarReader:
    """Decibels around a level that differs by band, chip and class."""

    levels: tuple[float, float] = (-9.0, -16.0)

    def read(self, index):
        rng = np.random.default_rng(index)
        pixels = rng.normal(size=(2, SIDE, SIDE)) * 2 + np.array(self.levels)[:, None, None]
        return {"s1": (pixels + index % 2).astype(np.float32)}

    def read_mask(self, index):
        if index == 3:
            raise DecodeError("map 3", "is torn", "a whole file", "Replace it.")
        return np.full((SIDE, SIDE), index % 2, dtype=np.int16)


def radar(n=20, *, split=None, levels=(-9.0, -16.0), notes=(), splits_from="", exclude=None):
    """A two-band Sentinel-1 dataset of n chips; every fourth is val, every fifth test."""
    codes = np.zeros(n, np.int8)
    codes[::4], codes[::5] = 1, 2
    reader = RadarReader(levels)
    samples = Samples(
        ids=np.array([f"chip-{i:03d}" for i in range(n)], dtype=object),
        origins=np.array([f"{i} {levels}" for i in range(n)], dtype=object),
        labels={"class": LabelSet(classes=CLASSES, codes=np.arange(n, dtype=np.int32) % 2)},
        splits={"official": codes if split is None else np.full(n, split, np.int8)},
        exclude=exclude,
    )
    return Dataset(
        name="radar",
        root=None,
        bands=SENTINEL1,
        grids=(Grid(name="s1", bands=("VV", "VH"), dtype="float32", size_px=(SIDE, SIDE)),),
        samples=samples,
        reader=reader,
        processing="made",
        licence="CC0-1.0",
        citation="",
        statistics=BandStatistics(values={"VV": (-12.0, 5.0), "VH": (-19.0, 5.5)}, source="a book"),
        masks=Masks(classes=CLASSES, size_px=(SIDE, SIDE), reader=reader),
        notes=notes,
        splits_from=splits_from,
    )
