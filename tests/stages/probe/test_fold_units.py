"""Folds keep together what the split scheme keeps apart from test."""

import numpy as np
import pytest

from featbank.datasets.splits import with_splits
from featbank.samples import LabelSet, Samples
from featbank.stages.probe.fold_units import fold_units


def placed(step):
    """400 samples of two classes on a grid of equal steps in degrees."""
    lon, lat = np.meshgrid(10 + step * np.arange(20), 50 + step * np.arange(20))
    labels = LabelSet(classes=("a", "b"), codes=np.arange(400) % 2)
    return Samples(
        ids=np.array([f"{i:03}" for i in range(400)], dtype=object),
        origins=np.full(400, "made", dtype=object),
        labels={"class": labels},
        lonlat=np.stack([lon.ravel(), lat.ravel()], axis=1),
    )


# In steps of 0.05 degrees blocks of 0.1 degrees will do; chips of 200 m lie within one of those.
@pytest.mark.parametrize(("step", "kind"), [(0.05, "block-0.1deg"), (0.002, "block-2km")])
def test_a_unit_is_a_block_of_the_scheme(step, kind):
    samples = with_splits(placed(step))
    (scheme, split), *_ = [(n, s) for n, s in samples.splits.items() if n.startswith("block")]
    assert scheme.startswith(kind)
    units = fold_units(None, samples.lonlat, scheme)
    assert 5 < len(set(units)) < 400
    assert all(len(set(split[units == unit])) == 1 for unit in set(units))


def test_groups_come_before_blocks():
    groups = np.arange(400) // 7
    assert fold_units(groups, placed(0.05).lonlat, "block-0.1deg-0") is groups


@pytest.mark.parametrize("scheme", ["stratified-0", "official", "block-made-0"])
def test_schemes_that_keep_no_known_blocks_apart_leave_samples_alone(scheme):
    assert fold_units(None, placed(0.05).lonlat, scheme) is None
