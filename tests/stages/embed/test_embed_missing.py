"""Chips with missing pixels, from the reader to the store; values by NumPy's own masked arrays."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from fake_dataset import RadarReader, radar

from featbank.errors import RefusedError
from featbank.inputs.preprocess import resize_antialiased
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed import plan as embed_plan
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.store.reader import Store

N = 20
_TRAIN = [i for i in range(N) if i % 4 and i % 5]


@dataclass(frozen=True)
class Swath:
    """Radar chips; chip i misses its first ``rows[i]`` rows, chip j its whole VH."""

    plain: RadarReader
    rows: tuple[int, ...]
    without_vh: tuple[int, ...] = ()

    def read(self, index):
        pixels = self.plain.read(index)["s1"].copy()
        mask = np.zeros(pixels.shape, dtype=bool)
        mask[:, : self.rows[index]] = True
        mask[1] |= index in self.without_vh
        if not mask.any():
            return {"s1": pixels}
        pixels[mask] = -3.4028235e38
        return {"s1": np.ma.MaskedArray(pixels, mask)}


def swath(rows, without_vh=()):
    whole = radar(N)
    rows = tuple(rows.get(i, 0) for i in range(N))
    return replace(whole, reader=Swath(whole.reader, rows, without_vh), masks=None)


@pytest.fixture
def embed(tmp_path, monkeypatch):
    def run(dataset, **options):
        monkeypatch.setattr(embed_plan, "open_dataset", lambda *_, **__: dataset)
        settings = {"model": "imagestats", "device": "cpu", "workers": 0, "shard_rows": 8}
        settings |= {"dtype": "float32", "bank": tmp_path} | options
        plan = plan_embed(EmbedOptions(dataset="synthetic-s1", **settings))
        return plan, Store(embed_dataset(plan).store)

    return run


def chips_of(dataset):
    return [np.ma.asarray(dataset.reader.read(i)["s1"]).astype(np.float64) for i in range(N)]


def test_statistics_and_features_are_of_the_pixels_that_are_there(embed):
    dataset = swath({1: 5, 6: 3, 5: 12})
    _, store = embed(dataset)
    chips = chips_of(dataset)
    train = np.ma.stack([chips[i] for i in _TRAIN])
    mean, std = (getattr(train, name)(axis=(0, 2, 3)) for name in ("mean", "std"))
    scaled = [(chip - mean[:, None, None]) / std[:, None, None] for chip in chips]
    wanted = [
        np.concatenate([getattr(c, f)(axis=(1, 2)) for f in ("mean", "std", "min", "max")])
        for c in scaled
    ]
    np.testing.assert_allclose(store.features("mean"), np.array(wanted), atol=2e-4)


def test_a_swath_edge_moves_no_other_chip(embed, tmp_path):
    _, store = embed(swath({5: 12}), normalise="none")
    _, whole = embed(swath({}), normalise="none", bank=tmp_path / "other")
    others = np.arange(N) != 5
    assert np.array_equal(store.features()[others], whole.features()[others])


def test_shares_stand_in_the_store(embed):
    _, store = embed(swath({1: 6, 5: 12}))
    assert store.missing.tolist() == [{1: 0.25, 5: 0.5}.get(i, 0.0) for i in range(N)]
    assert store.missing_by_band[5].tolist() == [0.5, 0.5]


def test_the_last_line_counts_chips_that_miss_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(embed_plan, "open_dataset", lambda *_, **__: swath({1: 6, 5: 12}))
    options = EmbedOptions(model="imagestats", dataset="synthetic-s1", bank=tmp_path, workers=0)
    report = embed_dataset(plan_embed(options))
    assert report.n_missing == 2
    assert "20 of 20 rows embedded, 2 of them with missing pixels in" in report.sentence()


def test_a_chip_that_misses_too_much_is_refused_and_named(embed):
    plan, store = embed(swath({5: 13}), max_invalid=0.1)
    assert store.refused[5] == "54 % of its pixels are missing (--max-missing)"
    assert np.isnan(store.missing[5])
    assert plan.recipe["input"]["missing"]["most"] == 0.5


def test_more_is_kept_where_more_is_allowed(embed):
    _, store = embed(swath({5: 13}), max_missing=0.6)
    assert store.valid.all()


def test_too_many_such_chips_stop_the_run(embed):
    with pytest.raises(RefusedError, match="is chip-005: 54 % of its pixels are missing"):
        embed(swath({5: 13}))


def test_a_network_is_given_the_train_mean_where_pixels_are_missing(embed):
    dataset = swath({1: 5, 6: 3})
    plan, store = embed(dataset, model="rcf")
    forward = embed_plan_forward(plan)
    filled = [chip.filled(np.nan) for chip in chips_of(dataset)]
    mean = np.array(plan.inputs.statistics.mean)[:, None, None]
    std = np.array(plan.inputs.statistics.std)[:, None, None]
    x = np.stack([np.where(np.isnan(c), 0, (c - mean) / std) for c in filled])
    found = forward(torch.tensor(x, dtype=torch.float32), layers=(0,))["mean"][:, 0]
    np.testing.assert_allclose(store.features(), found, atol=1e-4)


def embed_plan_forward(plan):
    return plan.spec.build(plan.weights.config, plan.weights.state)


def test_train_means_fill_where_the_network_has_statistics_of_its_own(embed):
    dataset = swath({1: 5, 6: 3})
    plan, _ = embed(dataset, model="vit-tiny", weights="random", normalise="none", adapt="ratio")
    train = np.ma.stack([chips_of(dataset)[i] for i in _TRAIN])
    np.testing.assert_allclose(plan.inputs.fill, train.mean(axis=(0, 2, 3)), rtol=1e-5)
    assert plan.recipe["input"]["missing"]["fill"] == list(plan.inputs.fill)


def test_a_model_that_hears_wavelengths_is_given_the_bands_that_are_there(embed):
    options = {"model": "dofa", "weights": "random", "normalise": "published", "image_size": 32}
    dataset = swath({}, without_vh=(7,))
    plan, store = embed(dataset, wavelengths=(3.75, 5.405), **options)
    alone = {**plan.weights.config, "channels": 1, "wavelengths_um": (3.75,)}
    forward = plan.spec.build(alone, plan.weights.state)
    vv = torch.tensor(dataset.reader.read(7)["s1"].data[:1].astype(np.float32))
    x = resize_antialiased(((vv + 12.0) / 5.0)[None], (32, 32), "bicubic")
    with torch.inference_mode():
        wanted = forward(x, layers=(11,))["mean"][0, 0]
    np.testing.assert_allclose(store.features("mean")[7], wanted, atol=1e-4)
    assert store.missing_by_band[7].tolist() == [0, 1]
    assert store.missing[7] == 0
    assert store.valid.all()


def test_another_model_refuses_a_chip_without_a_band(embed):
    _, store = embed(swath({}, without_vh=(7,)), max_invalid=0.1)
    assert store.refused[7] == "every pixel of band VH is missing"
