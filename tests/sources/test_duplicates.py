import shutil

import numpy as np
import pytest
from fixed_size_chips import write_folder

from featbank.lookup.listing import store_description
from featbank.samples import LabelSet, Samples
from featbank.sources.duplicates import find_duplicates
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.probe.run import ProbeOptions, probe_store


def samples(digests, *, splits=None, classes=None, several=None):
    n = len(digests)
    labels = {} if classes is None else {"class": classes}
    labels = {name: LabelSet(classes=("x", "y"), codes=np.array(c)) for name, c in labels.items()}
    if several is not None:
        labels["several"] = LabelSet(classes=("x", "y"), codes=np.array(several, dtype=np.int8))
    return Samples(
        ids=np.array([f"s{i}" for i in range(n)], dtype=object),
        origins=np.array([""] * n, dtype=object),
        digests=np.array([digit * 64 for digit in digests], dtype=object),
        labels=labels,
        splits={} if splits is None else {"official": np.array(splits, dtype=np.int8)},
    )


def test_there_are_none_where_all_differ():
    assert find_duplicates(samples("abc")) is None
    assert find_duplicates(samples("")) is None


def test_images_and_samples_are_counted():
    found = find_duplicates(samples("abacab"))
    assert (found.images, found.samples) == (2, 5)
    assert ("s0", "s2") in found.examples


def test_images_in_several_splits_are_counted_and_unlabelled_ones_are_in_none():
    found = find_duplicates(samples("aabbcc", splits=[0, 2, 0, 0, 0, 3]))
    assert (found.images, found.across_splits, found.scheme) == (3, 1, "official")
    assert found.examples[0] == ("s0", "s1")


def test_images_with_different_labels_are_counted_and_unknown_ones_agree():
    found = find_duplicates(samples("aabbcc", classes=[0, 1, 1, 1, 0, -1]))
    assert found.other_labels == 1
    several = [[0, 1], [1, 0], [1, 1], [1, 1], [1, 0], [-1, -1]]
    assert find_duplicates(samples("aabbcc", several=several)).other_labels == 1


def test_the_sentence_names_the_gravest_pair_first():
    found = find_duplicates(samples("aabb", splits=[0, 0, 0, 2], classes=[0, 0, 0, 1]))
    assert found.sentence() == (
        "2 images stand byte for byte in 4 samples, 1 of them in several splits of 'official', "
        "1 with different labels (such as s2 and s3)"
    )


def test_half_a_million_samples_are_grouped_without_a_loop():
    digests = np.array([f"{i % 400_000:064d}" for i in range(500_000)], dtype=object)
    many = Samples(
        ids=np.arange(500_000).astype(str).astype(object),
        origins=digests,
        digests=digests,
        splits={"official": (np.arange(500_000) % 3).astype(np.int8)},
    )
    found = find_duplicates(many)
    assert (found.images, found.samples, found.across_splits) == (100_000, 200_000, 100_000)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A bank with a store of chips of which one stands in both classes and all splits."""
    root = tmp_path_factory.mktemp("twice")
    folder = write_folder(root / "chips", chips=12)
    for number in range(8):
        shutil.copy(folder / "class0" / "00.tif", folder / "class1" / f"copy{number}.tif")
    options = EmbedOptions(model="imagestats", dataset=str(folder), bank=root / "bank", workers=0)
    plan = plan_embed(options)
    return plan, embed_dataset(plan).store, root / "bank"


def test_embed_says_it(done):
    (note,) = done[0].notes
    assert note.startswith("1 image stands byte for byte in 9 samples, 1 of them in several")
    assert "1 with different labels (such as class0/00 and class1/copy0)" in note


def test_the_store_keeps_and_show_tells_it(done):
    told = store_description(done[1])["duplicates"]
    assert (told["images"], told["samples"], told["other_labels"]) == (1, 9, 1)


def test_probe_says_how_many_test_chips_it_knows(done):
    report = probe_store(
        ProbeOptions(store=done[1], bank=done[2], clf="knn", params={"k": 5}, resamples=5)
    )
    assert "test chips are byte for byte chips of train or validation" in report.results[0].note
