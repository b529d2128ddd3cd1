import pytest
import torch
from safetensors.torch import load_file

from featbank.methods.losses.pixels import patchified, pixel_loss


@pytest.fixture(scope="module")
def golden(shared):
    return load_file(shared / "golden" / "losses.safetensors")


def test_patches_are_the_references(golden):
    assert torch.equal(patchified(golden["mae.images"], 8), golden["mae.patchified"])


@pytest.mark.parametrize("is_normalised", [True, False])
def test_loss_is_the_references(golden, is_normalised):
    patches = patchified(golden["mae.images"], 8)
    loss = pixel_loss(golden["mae.pred"], patches, golden["mae.mask"], is_normalised=is_normalised)
    expected = golden[f"mae.loss_norm_pix_{str(is_normalised).lower()}"]
    torch.testing.assert_close(loss, expected[0], rtol=1e-5, atol=0)


def test_a_pixel_of_a_patch_is_the_images():
    images = torch.arange(2 * 5 * 6 * 9).reshape(2, 5, 6, 9)
    patches = patchified(images, 3).reshape(2, 2, 3, 3, 3, 5)
    # Chip 1, patch of row 1 and column 2, its pixel of row 0 and column 1, band 4.
    assert patches[1, 1, 2, 0, 1, 4] == images[1, 4, 3, 7]


def test_seen_patches_do_not_count():
    predicted, patches = torch.randn(1, 4, 12), torch.randn(1, 4, 12)
    mask = torch.tensor([[1, 0, 0, 1]])
    wrong = predicted + 9 * (1 - mask).unsqueeze(-1)
    a, b = (pixel_loss(p, patches, mask, is_normalised=True) for p in (predicted, wrong))
    assert torch.equal(a, b)


def test_a_constant_patch_gives_a_finite_loss():
    loss = pixel_loss(
        torch.zeros(1, 1, 12), torch.full((1, 1, 12), 7.0), torch.ones(1, 1), is_normalised=True
    )
    assert loss == 0
