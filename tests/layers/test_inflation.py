import pytest
import torch
from torch.nn import functional

from featbank.layers.inflation import mean_inflated, patch_resampled, wavelength_inflated

RGB = (0.665, 0.56, 0.49)


@pytest.fixture
def kernel():
    return torch.randn(6, 3, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("bands", [1, 2, 3, 13])
def test_a_grey_chip_gives_the_same_tokens(kernel, bands):
    grey = torch.randn(2, 1, 8, 12)
    before = functional.conv2d(grey.expand(-1, 3, -1, -1), kernel, stride=4)
    after = functional.conv2d(
        grey.expand(-1, bands, -1, -1), mean_inflated(kernel, bands), stride=4
    )
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-5)


def test_the_known_wavelengths_give_the_kernel_itself(kernel):
    assert torch.equal(wavelength_inflated(kernel, RGB, RGB), kernel)


def test_wavelengths_decide_and_not_the_order(kernel):
    turned = wavelength_inflated(kernel, RGB, RGB[::-1])
    assert torch.equal(turned, kernel.flip(1))


def test_between_two_bands_the_kernel_is_between(kernel):
    # 0.6125 is half way between green and red; one new band takes three bands' part.
    (new,) = wavelength_inflated(kernel, RGB, (0.6125,)).unbind(1)
    torch.testing.assert_close(new, 3 * (kernel[:, 0] + kernel[:, 1]) / 2)


def test_outside_the_nearest_kernel_is_taken(kernel):
    new = wavelength_inflated(kernel, RGB, (0.44, 2.2, 0.842))
    torch.testing.assert_close(new, kernel[:, [2, 0, 0]])


@pytest.mark.parametrize("patch_px", [5, 8, 16])
def test_a_patch_grown_gives_the_tokens_of_the_patch(kernel, patch_px):
    patch = torch.randn(5, 3, 4, 4)
    size = (patch_px, patch_px)
    grown = functional.interpolate(patch, size=size, mode="bicubic", antialias=True)
    before = functional.conv2d(patch, kernel)
    after = functional.conv2d(grown, patch_resampled(kernel, patch_px))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_a_smaller_patch_keeps_the_tokens_of_a_constant_chip():
    coarse = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    smooth = functional.interpolate(coarse, size=(16, 16), mode="bicubic")
    before = functional.conv2d(torch.ones(1, 3, 16, 16), smooth)
    after = functional.conv2d(torch.ones(1, 3, 8, 8), patch_resampled(smooth, 8))
    assert (after - before).abs().max() < 0.02 * before.abs().max()


def test_the_same_patch_is_left_as_it_is(kernel):
    assert patch_resampled(kernel, 4) is kernel
