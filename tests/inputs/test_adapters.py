import numpy as np
import pytest
import torch

from featbank.bands import RGB, SENTINEL1, SENTINEL2_L2A, Band
from featbank.errors import ContractError
from featbank.image import Grid
from featbank.inputs.adapters import ADAPTERS, Moments
from featbank.inputs.normalise import Statistics
from featbank.inputs.preprocess import InputRecipe, Preprocess


def adapt(name, bands, moments=None):
    return ADAPTERS[name].adapt(bands, moments, "made")


def moments_of(values):
    """Moments of (N, C) values."""
    return Moments(mean=values.mean(axis=0), covariance=np.cov(values.T, bias=True))


@pytest.mark.parametrize("name", ["none", "per-band", "rgb"])
def test_channels_are_the_bands(name):
    adapted = adapt(name, RGB)
    assert (adapted.channels, adapted.weights) == (RGB, None)


def test_only_per_band_splits_the_channels():
    assert [name for name in ADAPTERS if name not in ("ratio", "pca3", "repeat")] == [
        "none",
        "per-band",
        "rgb",
    ]
    assert adapt("per-band", SENTINEL1).is_split
    assert not adapt("none", SENTINEL1).is_split


@pytest.mark.parametrize(("count", "names"), [(1, "VV VV VV"), (2, "VV VH VV")])
def test_repeat_goes_round_the_bands(count, names):
    adapted = adapt("repeat", SENTINEL1[:count])
    assert [band.name for band in adapted.channels] == names.split()
    assert np.array(adapted.weights).argmax(axis=1).tolist() == [i % count for i in range(3)]


def test_repeat_refuses_three_bands():
    with pytest.raises(ContractError, match="gives 3 bands .*; expected one or two bands"):
        adapt("repeat", RGB)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_ratio_goes_by_name_not_by_position(order):
    bands = [SENTINEL1[i] for i in order]
    levels = {"VV": -8.0, "VH": -15.0}
    made = np.array(adapt("ratio", bands).weights) @ [levels[band.name] for band in bands]
    assert made.tolist() == [-8.0, -15.0, 7.0]


@pytest.mark.parametrize(
    "bands", [RGB, SENTINEL1[:1], [Band(name="VV", unit="DN"), Band(name="VH", unit="DN")]]
)
def test_ratio_needs_both_polarisations_in_decibels(bands):
    with pytest.raises(ContractError, match="expected VV and VH in dB"):
        adapt("ratio", bands)


def test_pca3_gives_uncorrelated_channels_of_falling_variance():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 12)) * np.arange(1, 13)
    values += rng.normal(size=values.shape) * 0.1
    adapted = adapt("pca3", SENTINEL2_L2A, moments_of(values))
    made = np.cov((values @ np.array(adapted.weights).T).T)
    off = made - np.diag(np.diag(made))
    assert np.abs(off).max() < 1e-4 * made.max()
    assert (np.diff(np.diag(made)) < 0).all()


def test_pca3_agrees_with_scikit_learn():
    from sklearn.decomposition import PCA

    values = np.random.default_rng(1).normal(size=(300, 5)) @ np.diag([9, 5, 3, 2, 1.0])
    values[:, 1] += values[:, 0]
    bands = [Band(name=f"b{i}") for i in range(5)]
    made = values @ np.array(adapt("pca3", bands, moments_of(values)).weights).T
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    expected = PCA(3).fit_transform(standard)
    correlation = np.corrcoef(made.T, expected.T)[:3, 3:]
    np.testing.assert_allclose(np.abs(np.diag(correlation)), 1, atol=1e-6)


def test_pca3_needs_three_bands():
    with pytest.raises(ContractError, match="gives 2 bands; expected three or more"):
        adapt("pca3", SENTINEL1, moments_of(np.random.default_rng(0).normal(size=(9, 2))))


def test_channels_are_made_and_normalised_on_the_device():
    grids = (Grid(name="g", bands=("VV", "VH"), dtype="float32"),)
    weights = adapt("ratio", SENTINEL1).weights
    statistics = Statistics(method="dataset", mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0), source="")
    recipe = InputRecipe(
        grids=grids,
        bands=("VV", "VH"),
        image_size=None,
        resize="nearest",
        statistics=statistics,
        weights=weights,
    )
    x = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    made = Preprocess(recipe, torch.device("cpu"))({"g": x})
    for row, plane in enumerate((x[:, 0], x[:, 1], x[:, 0] - x[:, 1])):
        expected = (plane - statistics.mean[row]) / statistics.std[row]
        torch.testing.assert_close(made[:, row], expected, rtol=1e-5, atol=1e-5)
