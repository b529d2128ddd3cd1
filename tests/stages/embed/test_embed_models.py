"""How bands, adapters, statistics, label maps and weights come together in a store."""

import numpy as np
import pytest
import zarr
from fake_dataset import radar

from featbank.errors import ContractError, UsageError
from featbank.samples import UNLABELLED
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed import plan as embed_plan
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.store.reader import Store


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Plans a run on a made Sentinel-1 dataset."""

    def make(dataset=None, **options):
        found = radar() if dataset is None else dataset
        monkeypatch.setattr(embed_plan, "open_dataset", lambda *args, **kwargs: found)
        settings = {"model": "vit-tiny", "weights": "random", "image_size": 32, "workers": 0}
        settings |= {"dtype": "float32", "bank": tmp_path / "bank", "normalise": "dataset"}
        # A name that the catalog knows; what it opens is the made dataset.
        return plan_embed(EmbedOptions(dataset="synthetic-s1", **{**settings, **options}))

    return make


def store_of(plan):
    return Store(embed_dataset(plan).store)


def test_per_band_features_are_those_of_each_band_alone(plan):
    both = store_of(plan(adapt="per-band")).features("mean")
    alone = [store_of(plan(adapt="per-band", bands=b)).features("mean") for b in ("VV", "VH")]
    np.testing.assert_allclose(both, np.concatenate(alone, axis=1), rtol=1e-5, atol=1e-6)


def test_per_band_passes_stand_in_the_recipe(plan):
    made = plan(adapt="per-band").recipe["input"]["adapter"]
    assert made == {"name": "per-band", "channels": ["VV", "VH"], "passes": [[0] * 3, [1] * 3]}


def test_per_band_tokens_and_their_norm_are_as_wide_as_the_features(plan):
    path = embed_dataset(plan(adapt="per-band", tokens=True)).store
    group = zarr.open_group(path, mode="r")
    assert group["tokens"].shape[-1] == group["token_norm_weight"].shape[0] == 2 * 192


def test_per_band_dofa_sees_what_plain_dofa_cannot(plan):
    """Adding to VV what is taken from VH leaves the sum, and so plain DOFA, unchanged."""
    settings = {"model": "dofa", "normalise": "none", "image_size": 16}
    shifted = radar(levels=(-8.0, -17.0))
    for adapt, differs in (("none", False), ("per-band", True)):
        first = store_of(plan(adapt=adapt, **settings)).features()
        second = store_of(plan(shifted, adapt=adapt, seed=0, **settings)).features()
        assert (np.abs(first - second).max() > 1e-3) == differs


@pytest.mark.parametrize(
    ("adapt", "bands", "kernels"), [("none", "all", 1), ("per-band", "all", 1)]
)
def test_dofa_generates_its_kernels_once_a_sensor(plan, monkeypatch, adapt, bands, kernels):
    """However many batches; two bands of one wavelength share one."""
    from featbank.layers import wave_kernels

    made, generate = [], wave_kernels.generate_kernels
    monkeypatch.setattr(
        wave_kernels, "generate_kernels", lambda *a, **k: made.append(k) or generate(*a, **k)
    )
    run = plan(model="dofa", adapt=adapt, bands=bands, image_size=16, batch_size=4)
    embed_dataset(run)
    assert len(made) == kernels


def test_dofa_says_that_the_polarisations_share_a_wavelength(plan):
    shared = "VV and VH share the wavelength 3.75 µm"
    assert any(shared in note for note in plan(model="dofa").notes)
    assert not any(shared in note for note in plan(model="dofa", adapt="per-band").notes)


def test_wavelengths_given_by_hand_enter_the_recipe(plan):
    made = plan(model="dofa", wavelengths=(3.75, 5.405)).recipe["model"]["config"]
    assert made["wavelengths_um"] == (3.75, 5.405)


@pytest.mark.parametrize(("model", "waves"), [("vit-tiny", (1.0, 2.0)), ("dofa", (1.0,))])
def test_wavelengths_must_suit_the_model_and_the_channels(plan, model, waves):
    with pytest.raises(UsageError, match="--wavelengths .*one number in µm for each channel"):
        plan(model=model, wavelengths=waves)


def test_ratio_statistics_are_those_of_its_channels(plan):
    made = plan(adapt="ratio").inputs.statistics
    reader = radar().reader
    train = np.flatnonzero(radar().samples.splits["official"] == 0)
    pixels = np.stack([reader.read(row)["s1"] for row in train]).astype(np.float64)
    channels = np.stack([pixels[:, 0], pixels[:, 1], pixels[:, 0] - pixels[:, 1]])
    np.testing.assert_allclose(made.mean, channels.mean(axis=(1, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(made.std, channels.std(axis=(1, 2, 3)), rtol=1e-4)


def test_excluded_samples_are_embedded_and_never_fitted_on(plan):
    exclude = np.array([""] * 20, dtype=object)
    exclude[1:20:2] = "seasonal snow"
    full, part = plan(), plan(radar(exclude=exclude))
    assert full.inputs.statistics.mean != part.inputs.statistics.mean
    assert store_of(part).valid.all()


def test_without_split_lists_published_statistics_are_taken(plan):
    bare = radar(split=UNLABELLED, notes=("no lists",), splits_from="Fetch train.csv.")
    made = plan(bare, model="dofa", normalise=None)
    assert made.inputs.statistics.source == "a book"
    assert made.notes[0] == "no lists"


def test_fitting_without_a_train_split_names_the_lists(plan):
    bare = radar(split=UNLABELLED, splits_from="Fetch train.csv.")
    with pytest.raises(ContractError, match=r"no train sample to fit on.*Fetch train.csv\."):
        plan(bare, normalise="dataset")


def test_statistics_of_other_bands_are_refused(plan):
    with pytest.raises(ContractError, match="band VV is in unit 'dB'; expected uint8"):
        plan(normalise="imagenet")


def test_published_statistics_of_made_channels_are_refused(plan):
    with pytest.raises(UsageError, match="nobody published"):
        plan(adapt="ratio", normalise="published")


def test_swapped_polarisations_are_refused_before_the_first_row(plan):
    with pytest.raises(ContractError, match="mean VV is -1.* expected VV above VH"):
        plan(radar(levels=(-16.0, -9.0)))


def test_label_maps_stand_beside_the_tokens(plan):
    path = embed_dataset(plan(tokens=True)).store
    masks = zarr.open_array(path / "mask", mode="r")[...]
    expected = [-1 if row == 3 else row % 2 for row in range(20)]
    assert (masks == np.array(expected)[:, None, None]).all()


def test_label_maps_are_left_out_without_tokens(plan):
    assert not (embed_dataset(plan()).store / "mask").exists()


def test_a_limited_run_keeps_each_map_with_its_chip(plan):
    limited = plan(tokens=True, limit=3)
    path = embed_dataset(limited).store
    masks = zarr.open_array(path / "mask", mode="r")[...]
    rows = [int(str(sample)[-3:]) for sample in Store(path).ids]
    assert [int(m[0, 0]) for m in masks] == [-1 if row == 3 else row % 2 for row in rows]


def test_a_store_with_maps_opens_without_a_warning(plan):
    import xarray as xr

    opened = xr.open_zarr(embed_dataset(plan(tokens=True)).store)
    assert opened["class_mask"].to_numpy().tolist() == ["water", "wood"]


def test_notes_and_the_way_to_split_lists_stand_in_the_store(plan):
    bare = radar(split=UNLABELLED, notes=("no lists",), splits_from="Fetch train.csv.")
    attributes = store_of(plan(bare, normalise="published")).attributes
    assert (attributes["notes"], attributes["splits_from"]) == (["no lists"], "Fetch train.csv.")
