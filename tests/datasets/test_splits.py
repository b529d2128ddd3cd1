import numpy as np
import pytest

from featbank.datasets.splits import SCHEMES, with_splits
from featbank.samples import LabelSet, Samples


def make(n=1000, **columns):
    ids = np.array([f"s{i}" for i in range(n)], dtype=object)
    return Samples(ids=ids, origins=ids, **columns)


@pytest.fixture
def labelled():
    codes = np.random.default_rng(0).integers(0, 7, 1000).astype(np.int32)
    return make(labels={"c": LabelSet(classes=tuple("abcdefg"), codes=codes)})


def shares(split):
    return np.bincount(split, minlength=3) / len(split)


def test_five_seeded_schemes_are_made(labelled):
    assert tuple(with_splits(labelled).splits) == SCHEMES


@pytest.mark.parametrize("scheme", SCHEMES)
def test_shares_are_60_20_20(labelled, scheme):
    np.testing.assert_allclose(
        shares(with_splits(labelled).splits[scheme]), [0.6, 0.2, 0.2], atol=0.005
    )


def test_each_class_is_split_alike(labelled):
    split, codes = with_splits(labelled).splits["random-0"], labelled.labels["c"].codes
    for code in range(7):
        np.testing.assert_allclose(shares(split[codes == code]), [0.6, 0.2, 0.2], atol=0.02)


def test_schemes_differ(labelled):
    splits = with_splits(labelled).splits
    assert (splits["random-0"] != splits["random-1"]).mean() > 0.3


def test_a_published_split_is_kept(labelled):
    published = np.zeros(1000, dtype=np.int8)
    samples = make(splits={"official": published})
    assert list(with_splits(samples).splits) == ["official"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_group_is_never_split(scheme):
    group = np.array([f"g{i // 7}" for i in range(1000)], dtype=object)
    split = with_splits(make(group=group)).splits[scheme]
    assert all(len(set(split[group == name])) == 1 for name in set(group))


def test_groups_keep_the_shares():
    group = np.array([f"g{i // 7}" for i in range(1000)], dtype=object)
    np.testing.assert_allclose(
        shares(with_splits(make(group=group)).splits["random-2"]), [0.6, 0.2, 0.2], atol=0.03
    )


def test_neighbours_on_the_ground_share_a_split():
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 40, (1000, 2))
    lonlat = cells / 10 + rng.uniform(0.001, 0.099, (1000, 2))
    split = with_splits(make(lonlat=lonlat)).splits["random-0"]
    keys = cells[:, 0] * 100 + cells[:, 1]
    assert all(len(set(split[keys == key])) == 1 for key in set(keys))


def test_chips_without_a_place_do_not_break_the_rest():
    lonlat = np.random.default_rng(0).uniform(0, 5, (1000, 2))
    lonlat[3] = np.nan
    assert set(with_splits(make(lonlat=lonlat)).splits["random-0"]) == {0, 1, 2}
