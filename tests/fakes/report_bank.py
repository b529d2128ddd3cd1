"""Banks for report pages: chips whose pictures spell their number, a map of known places."""

from __future__ import annotations

import numpy as np
from labelled_store import make_labelled_store
from PIL import Image

import featbank
from featbank.bank.bank import Bank
from featbank.bank.maps import FeatureMap
from featbank.stages.probe.run import ProbeOptions, probe_store

CLASSES, CHIPS, SIDE, BLOCKS = 3, 20, 24, 4
N = CLASSES * CHIPS


def spelled(number):
    """(24, 24, 3): 16 blocks, black or white as the bits of a number; never of one colour."""
    bits = (number * 521 + 1) >> np.arange(BLOCKS * BLOCKS) & 1
    plane = np.kron(bits.reshape(BLOCKS, BLOCKS) * 255, np.ones((SIDE // BLOCKS,) * 2))
    return np.repeat(plane[..., None], 3, axis=2).astype(np.uint8)


def bits_of(number):
    return ((number * 521 + 1) >> np.arange(BLOCKS * BLOCKS) & 1).tolist()


def number_of(sample):
    """The number that the picture of a sample spells."""
    folder, name = sample.split("/")
    return int(folder.removeprefix("class")) * CHIPS + int(name)


def make_chip_bank(root):
    """A folder of 60 chips embedded by image statistics, and two probes of it."""
    for label in range(CLASSES):
        folder = root / "chips" / f"class{label}"
        folder.mkdir(parents=True)
        for number in range(CHIPS):
            Image.fromarray(spelled(label * CHIPS + number)).save(folder / f"{number:02d}.png")
    bank = root / "bank"
    store = featbank.embed("imagestats", root / "chips", bank=bank, workers=0)
    for clf in ("knn", "logistic"):
        probe_store(ProbeOptions(clf=clf, store=store.path, bank=bank, resamples=20))
    return bank


def make_label_bank(root):
    """The made store of several labels, without images, and two probes of it."""
    bank = root / "bank"
    path = bank / "stores" / "made" / "none-00000000.zarr"
    path.parent.mkdir(parents=True)
    make_labelled_store(path)
    Bank(bank).remember_newest(path)
    # One as a user types it, one with an option that results do not keep.
    probe_store(ProbeOptions(clf="knn", store=path, bank=bank))
    probe_store(ProbeOptions(clf="logistic", store=path, bank=bank, resamples=20))
    return bank


def places(n):
    """(n, 2) places of no symmetry, far enough apart to be hovered one by one."""
    rows, columns = np.divmod(np.arange(n), 10)
    return np.column_stack([columns + 0.3 * (rows % 2) + 3 * (columns == 9), 0.8 * rows]).astype(
        np.float32
    )


def make_map(store, projection="umap"):
    """A map of known places, as ``report`` asks for it."""
    rows = np.flatnonzero(store.valid)
    return FeatureMap(
        id="ab12" * 4,
        ids=store.ids[rows],
        xy=places(len(rows)),
        is_fitted=np.ones(len(rows), bool),
        recipe={
            "store": store.attributes["recipe_id"],
            "projection": projection,
            "feature": "mean",
            "layer": 0,
        },
        quality={"trustworthiness": 0.875},
    )
