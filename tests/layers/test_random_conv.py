import numpy as np
import pytest
import torch

from featbank.layers.random_conv import STRIDE_PX, RandomConv, fit_random_conv

FILTERS, BANDS, KERNEL = 6, 2, 3


@pytest.fixture(scope="module")
def chips():
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(12, BANDS, 15, 18)).cumsum(axis=2) * rng.uniform(1, 3, (12, 1, 1, 1))
    return list(smooth.astype(np.float32))


@pytest.fixture(scope="module")
def state(chips):
    return fit_random_conv(chips, filters=FILTERS, kernel=KERNEL, seed=3)


@pytest.fixture(scope="module")
def network(state):
    module = RandomConv(filters=FILTERS, bands=BANDS, kernel=KERNEL)
    module.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return module


def slow_features(chip, state):
    _, height, width = chip.shape
    above, below = np.zeros(FILTERS), np.zeros(FILTERS)
    places = 0
    for row in range(0, height - KERNEL + 1, STRIDE_PX):
        for column in range(0, width - KERNEL + 1, STRIDE_PX):
            patch = chip[:, row : row + KERNEL, column : column + KERNEL].astype(np.float64)
            response = (state["filters"] * patch).sum(axis=(1, 2, 3)) + state["bias"]
            above += np.maximum(response, 0)
            below += np.maximum(-response, 0)
            places += 1
    return (np.concatenate([above, below]) / places - state["centre"]) / state["scale"]


def test_features_equal_a_slow_reference(chips, state, network):
    ours = network(torch.from_numpy(chips[4][None])).numpy()[0]
    np.testing.assert_allclose(ours, slow_features(chips[4], state), rtol=1e-3, atol=1e-4)


def test_features_of_the_fitted_chips_have_mean_zero_and_variance_one(chips, network):
    features = network(torch.from_numpy(np.stack(chips))).numpy()
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(features.std(axis=0), 1, atol=1e-3)


def test_the_fit_is_decided_by_its_seed(chips, state):
    again = fit_random_conv(chips, filters=FILTERS, kernel=KERNEL, seed=3)
    assert all(np.array_equal(again[name], state[name]) for name in state)


def test_another_seed_draws_other_filters(chips, state):
    other = fit_random_conv(chips, filters=FILTERS, kernel=KERNEL, seed=4)
    assert not np.allclose(other["filters"], state["filters"])


def test_the_fit_keeps_six_significant_digits(state):
    for value in state["filters"].ravel().tolist():
        assert np.float32(f"{value:.6g}") == np.float32(value)


def test_thresholds_divide_the_training_patches(chips, network):
    response = torch.nn.functional.conv2d(
        torch.from_numpy(np.stack(chips)), network.filters, network.bias
    )
    share_above = (response > 0).float().mean(dim=(0, 2, 3))
    assert share_above.min() > 0.005
    assert share_above.max() < 0.9


def test_a_filter_that_never_answers_does_not_divide_by_zero():
    flat = [np.zeros((1, 8, 8), dtype=np.float32)] * 3
    fitted = fit_random_conv(flat, filters=2, kernel=3, seed=0)
    assert np.isfinite(fitted["scale"]).all()
    assert (fitted["scale"] > 0).all()
