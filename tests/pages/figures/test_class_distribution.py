"""Class distribution: chips of each class by split, and pixels of label maps."""

import numpy as np
import pytest
from drawn_subject import make_subject
from small_store import make_small_store

from featbank.bank.bank import Bank
from featbank.lookup.subject import Subject
from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.class_distribution import (
    chip_counts,
    class_distribution,
    pixel_counts,
)
from featbank.samples import LabelSet, Samples
from featbank.store.create import NewStore, create_store
from featbank.store.reader import Store
from featbank.store.schema import FeatureLayout
from featbank.store.writer import StoreWriter

COUNTS = {"train": np.array([3, 9, 0]), "test": np.array([1, 2, 9])}
NAMES = ("water", "wood", "town")


def bars_of(axes):
    """Counts by split in the order drawn, from the top."""
    handles, labels = axes.get_legend_handles_labels()
    return {
        name: [bar.get_width() for bar in bars] for bars, name in zip(handles, labels, strict=True)
    }


def test_the_greatest_class_is_on_top():
    axes = class_distribution(COUNTS, NAMES).axes[0]
    assert bars_of(axes) == {"train": [9, 0, 3], "test": [2, 9, 1]}
    assert axes.get_yticklabels()[0].get_text().startswith("wood")
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


@pytest.mark.parametrize(("most", "scale"), [(29, "linear"), (3000, "log")])
def test_counts_far_apart_take_a_log_axis(most, scale):
    axes = class_distribution({"train": np.array([1, most])}, NAMES[:2]).axes[0]
    assert axes.get_xscale() == scale
    assert ("log axis" in axes.get_xlabel()) == (scale == "log")


def test_chips_are_counted_as_a_plain_loop_does(tmp_path):
    store = make_subject(tmp_path, multilabel=True, write=False).store
    found, labels, splits = chip_counts(store), store.labels().tolist(), store.split().tolist()
    for split in ("train", "val", "test"):
        rows = [row for row, name in zip(labels, splits, strict=True) if name == split]
        assert found[split].tolist() == [sum(column) for column in zip(*rows, strict=True)]


def masked_store(root):
    """Six chips of 2 × 2 pixels; chip i holds i pixels of class 1 up to 4, the rest unknown."""
    layout = FeatureLayout(names=("mean",), dim=2, layers=(0,), shard_rows=4, mask_px=(2, 2))
    samples = Samples(
        ids=np.array([f"chip-{i}" for i in range(6)], dtype=object),
        origins=np.array(["x"] * 6, dtype=object),
        labels={"kind": LabelSet(classes=NAMES, codes=np.arange(6, dtype=np.int32) % 3)},
        splits={"official": np.array([0, 0, 0, 2, 2, 2], dtype=np.int8)},
    )
    told = {"recipe_id": "0" * 64, "recipe": {}, "default_feature": "mean", "dataset": "made",
            "label_sets": ["kind"], "split_schemes": ["official"], "command": ""}  # fmt: skip
    path = Bank(root).stores_folder / "made" / "tiny-00000000.zarr"
    create_store(path, NewStore(samples=samples, layout=layout, attributes=told,
                                mask_classes=("sea", "land")))  # fmt: skip
    writer = StoreWriter(path, layout, 6)
    for shard in range(writer.shards):
        buffers = writer.empty_shard(shard)
        buffers["mean"][:], buffers["valid"][:] = 1, True
        for position, row in enumerate(writer.rows(shard)):
            buffers["mask"][position].flat[: min(row, 4)] = 1
        writer.write(shard, buffers)
    writer.finish()
    return Store(path)


def test_pixels_of_label_maps_stand_below(tmp_path):
    store = masked_store(tmp_path)
    assert pixel_counts(store)["train"].tolist() == [0, 0 + 1 + 2]
    assert pixel_counts(store)["test"].tolist() == [0, 3 + 4 + 4]
    subject = Subject(bank=Bank(tmp_path), store=store)
    _, pixels = FIGURES["class-distribution"].draw(subject, FigureOptions()).axes
    assert [bar.get_width() for bar in pixels.patches] == [3, 0, 11, 0]
    assert pixels.get_xlabel() == "pixels of label maps"


def test_refused_chips_are_left_out_and_told(tmp_path):
    path = Bank(tmp_path).stores_folder / "made" / "tiny-00000000.zarr"
    ids = [f"chip-{i}" for i in range(12)]
    store = make_small_store(path, ids, np.ones((12, 2)), refused=(0, 4))
    assert sum(values.sum() for values in chip_counts(store).values()) == 10
    figure = FIGURES["class-distribution"].draw(
        Subject(bank=Bank(tmp_path), store=store), FigureOptions()
    )
    assert "2 chips without a label, refused or excluded" in figure._supxlabel.get_text()
