from types import SimpleNamespace

import numpy as np
import pytest
from small_store import make_small_store

from featbank.stages.probe.missing_pixels import COLUMN, missing_classes
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store

N = 120
LABELS = np.arange(N) % 3


def store_with(path, shares):
    """Features that tell nothing, and shares of missing pixels of each sample."""
    rng = np.random.default_rng(0)
    store = make_small_store(path, [f"s{i:03d}" for i in range(N)], rng.normal(size=(N, 8)),
                             missing=shares)  # fmt: skip
    return Store(store.path)


@pytest.fixture
def probed(tmp_path):
    def run(shares):
        store = store_with(tmp_path / "bank" / "stores" / "made" / "x-1.zarr", shares)
        options = ProbeOptions(store=store.path, bank=tmp_path / "bank", clf="knn", resamples=5)
        return probe_store(options).results

    return run


def test_a_share_that_tells_the_class_is_said(probed):
    rows = probed((LABELS * 0.2).astype(np.float32))
    assert "the share of missing pixels alone gives accuracy 1.000" in rows[0].note


def test_a_share_that_tells_nothing_is_near_the_frequencies(probed):
    shares = np.random.default_rng(1).random(N).astype(np.float32) / 2
    note = probed(shares)[0].note.split("alone gives accuracy ")[1]
    assert abs(float(note[:5]) - 1 / 3) < 0.25


def test_samples_are_scored_apart_by_their_share(probed):
    shares = np.where(np.arange(N) // 4 % 2, 0.3, 0).astype(np.float32)
    found = probed(shares)
    rows = [row for row in found if row.by == COLUMN and row.metric == "accuracy"]
    assert {row.by_value for row in rows} == {"none", "up to 50 %"}
    assert sum(row.n for row in rows) == found[0].n


def test_whole_chips_are_not_spoken_of(probed):
    rows = probed(np.zeros(N, dtype=np.float32))
    assert all(row.by is None for row in rows)
    assert "missing pixels" not in rows[0].note


@pytest.mark.parametrize(
    ("share", "name"),
    [(0, "none"), (0.001, "up to 10 %"), (0.1, "up to 10 %"), (0.5, "up to 50 %"),
     (0.51, "more than 50 %")],
)  # fmt: skip
def test_classes_of_shares(tmp_path, share, name):
    shares = np.full(N, share, dtype=np.float32)
    shares[0] = 0.2
    assert missing_classes(store_with(tmp_path / "x.zarr", shares))[5] == name


def test_chips_without_a_whole_band_are_a_class_of_their_own_though_their_share_is_0():
    by_band = np.array([[0, 0], [0, 1], [0.2, 0]], dtype=np.float32)
    store = SimpleNamespace(
        ids=np.arange(3), valid=np.ones(3, bool), missing=np.zeros(3), missing_by_band=by_band
    )
    assert missing_classes(store).tolist() == ["none", "a whole band", "none"]
