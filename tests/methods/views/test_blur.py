import numpy as np
import pytest
import torch
from scipy import ndimage

from featbank.methods.parts.draws import Draws
from featbank.methods.views.blur import (
    blur_kernels,
    blur_matrix,
    blur_of,
    blurred,
    draw_sigmas,
)
from featbank.methods.views.crop_recipe import CropRecipe

SIGMAS = torch.tensor([0.05, 0.4, 1.0, 2.7])


def pictures(chips=4, rows=17, columns=17):
    return torch.randn(chips, rows, columns, generator=torch.Generator().manual_seed(0))


def blur_by_matrix(images, sigmas):
    down, across = (blur_matrix(blur_kernels(sigmas, size), size) for size in images.shape[1:])
    return down @ images @ across.transpose(1, 2)


def test_a_blur_is_scipys_for_every_chip():
    images = pictures(rows=17, columns=23)
    expected = [
        ndimage.gaussian_filter(image.numpy(), sigma.item(), mode="reflect", truncate=4.0)
        for image, sigma in zip(images, SIGMAS, strict=True)
    ]
    ours = blur_by_matrix(images, SIGMAS)
    np.testing.assert_allclose(ours.numpy(), np.stack(expected), rtol=0, atol=2e-6)


def test_a_blur_keeps_the_mean():
    images = pictures()
    ours = blur_by_matrix(images, SIGMAS)
    torch.testing.assert_close(ours.mean(dim=(1, 2)), images.mean(dim=(1, 2)))


@pytest.mark.parametrize("sigma", [0.01, 3.0, 400.0])
def test_a_blur_keeps_a_constant(sigma):
    ours = blur_by_matrix(torch.full((1, 9, 9), 2.5), torch.tensor([sigma]))
    torch.testing.assert_close(ours, torch.full((1, 9, 9), 2.5))


def test_only_chips_that_drew_a_blur_are_blurred():
    matrix = torch.eye(9).repeat(3, 1, 1)
    ours = blurred(matrix, blur_of(torch.tensor([0.0, 1.5, 0.0]), 9))
    assert torch.equal(ours[[0, 2]], torch.eye(9).repeat(2, 1, 1))
    torch.testing.assert_close(ours[1], blur_matrix(blur_kernels(torch.tensor([1.5]), 9), 9)[0])


def test_sigmas_go_with_the_size_of_the_crop():
    recipe = CropRecipe(name="v", count=1, size_px=56, blur=(0.3,), blur_sigma=(0.4, 2.0))
    draws = Draws(seed=0, step=0, total=5000, rows=range(5000))
    sigmas = draw_sigmas(draws, recipe, 0.3)
    drawn = sigmas[sigmas > 0]
    assert len(drawn) / 5000 == pytest.approx(0.3, abs=0.03)
    assert drawn.min() == pytest.approx(0.1, abs=0.005)
    assert drawn.max() == pytest.approx(0.5, abs=0.005)
    assert drawn.mean() == pytest.approx(0.3, abs=0.01)
