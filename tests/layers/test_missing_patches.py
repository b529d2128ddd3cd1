import numpy as np
import pytest
import torch

from featbank.layers.image_statistics import ImageStatistics
from featbank.layers.missing import Missing, area_average, kept_patches, mean_patch
from featbank.layers.vit import VisionTransformer, random_state
from featbank.layers.vit_config import VitConfig

CONFIG = VitConfig(dim=16, depth=2, heads=2, patch_px=4, channels=2, grid=4, mlp_dim=32)


def slow_area_average(plane, size):
    """The same by counting in a grid so fine that both grids divide it."""
    rows, columns = plane.shape
    fine = np.kron(plane, np.ones((size[0], size[1])))
    return fine.reshape(size[0], rows, size[1], columns).mean(axis=(1, 3))


@pytest.mark.parametrize("size", [(4, 4), (3, 5), (9, 2), (24, 31)])
def test_area_average_counts_fractions_of_pixels(size):
    plane = np.random.default_rng(0).random((7, 6))
    found = area_average(torch.tensor(plane, dtype=torch.float32), size)
    np.testing.assert_allclose(found, slow_area_average(plane, size), atol=1e-6)


def missing_of(mask):
    share = torch.tensor(mask, dtype=torch.float32)
    return Missing(pixels=share.amax(dim=1), channels=share)


def test_a_patch_more_than_half_missing_is_not_kept():
    mask = np.zeros((1, 2, 16, 16))
    mask[0, 0, 0:4, 0:2] = 1  # half of the first patch
    mask[0, 1, 0:4, 4:7] = 1  # three quarters of the second
    assert kept_patches(missing_of(mask), (4, 4))[0].nonzero().flatten().tolist() == [
        0,
        *range(2, 16),
    ]


def test_where_no_patch_is_half_there_all_are_kept():
    assert kept_patches(missing_of(np.ones((1, 2, 16, 16))), (4, 4)).all()


def test_the_mean_is_that_of_the_patches_kept():
    tokens = torch.randn(2, 5, 3)
    kept = torch.tensor([[True] * 5, [True, False, True, False, False]])
    found = mean_patch(tokens, kept)
    torch.testing.assert_close(found[1], tokens[1, [0, 2]].mean(dim=0))
    assert torch.equal(found[0], mean_patch(tokens[:1], None)[0])


@pytest.fixture(scope="module")
def network():
    network = VisionTransformer(CONFIG)
    network.load_state_dict(random_state(CONFIG, 0))
    return network.eval()


def test_missing_patches_leave_the_mean_of_a_transformer(network):
    x = torch.randn(2, 2, 16, 16)
    mask = np.zeros((2, 2, 16, 16))
    mask[1, :, :8] = 1
    with torch.inference_mode():
        found = network(x, layers=(1,), missing=missing_of(mask))
        raw = network(x, layers=(1,), with_tokens=True)["tokens"][:, 0]
        tokens = network.norm(raw)
        whole = network(x, layers=(1,))
    torch.testing.assert_close(found["mean"][1, 0], tokens[1, 2:].flatten(0, 1).mean(dim=0))
    torch.testing.assert_close(found["mean_raw"][1, 0], raw[1, 2:].flatten(0, 1).mean(dim=0))
    assert torch.equal(found["mean"][0], whole["mean"][0])
    assert torch.equal(found["cls"], whole["cls"])


def test_image_statistics_count_the_pixels_that_are_there():
    rng = np.random.default_rng(1)
    images, mask = rng.normal(size=(3, 2, 5, 6)).astype(np.float32), rng.random((3, 2, 5, 6)) < 0.3
    found = ImageStatistics()(torch.tensor(images), torch.tensor(mask, dtype=torch.float32))
    there = np.ma.MaskedArray(images, mask)
    wanted = [getattr(there, name)(axis=(2, 3)) for name in ("mean", "std", "min", "max")]
    np.testing.assert_allclose(found, np.concatenate(wanted, axis=1), rtol=1e-5, atol=1e-6)


def test_image_statistics_of_a_whole_chip_do_not_change_beside_others():
    images, mask = torch.randn(2, 2, 5, 6), torch.zeros(2, 2, 5, 6)
    mask[1, 0, 0] = 1
    assert torch.equal(ImageStatistics()(images, mask)[0], ImageStatistics()(images[:1])[0])
