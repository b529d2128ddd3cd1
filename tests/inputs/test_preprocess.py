import numpy as np
import pytest
import torch
from PIL import Image

from featbank.image import Grid
from featbank.inputs.normalise import Statistics
from featbank.inputs.preprocess import InputRecipe, Preprocess

FINE = Grid(name="10m", bands=("B02", "B03"), dtype="uint16")
COARSE = Grid(name="20m", bands=("B05",), dtype="uint16")
CPU = torch.device("cpu")


def recipe(grids=(FINE, COARSE), bands=("B02", "B03", "B05"), size=None, resize="bicubic", **stats):
    count = len(bands)
    statistics = Statistics(
        method="dataset",
        mean=stats.get("mean", (0.0,) * count),
        std=stats.get("std", (1.0,) * count),
        source="test",
    )
    return InputRecipe(
        grids=grids, bands=bands, image_size=size, resize=resize, statistics=statistics
    )


def pixels(bands, side, seed=0):
    values = np.random.default_rng(seed).integers(0, 9000, (2, bands, side, side), dtype=np.uint16)
    return torch.from_numpy(values)


@pytest.fixture
def chip():
    return {"10m": pixels(2, 12), "20m": pixels(1, 6)}


def test_grids_are_joined_at_the_finest(chip):
    assert Preprocess(recipe(), CPU)(chip).shape == (2, 3, 12, 12)


def test_native_size_replicates_coarse_pixels(chip):
    out = Preprocess(recipe(), CPU)(chip)[:, 2]
    expected = np.kron(chip["20m"][:, 0].numpy(), np.ones((2, 2)))
    np.testing.assert_array_equal(out.numpy(), expected)


def test_bands_come_in_the_order_asked_for(chip):
    out = Preprocess(recipe(bands=("B05", "B03", "B02")), CPU)(chip)
    np.testing.assert_array_equal(out[:, 2].numpy(), chip["10m"][:, 0].float().numpy())


def test_normalisation_is_minus_mean_over_std(chip):
    out = Preprocess(recipe(mean=(100.0, 200.0, 300.0), std=(2.0, 4.0, 5.0)), CPU)(chip)
    expected = (chip["10m"][:, 1].double() - 200) / 4
    np.testing.assert_allclose(out[:, 1].numpy(), expected.numpy(), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("side", [150, 64, 600])
@pytest.mark.parametrize("method", ["bicubic", "bilinear"])
def test_resize_equals_pillow(side, method):
    image = np.random.default_rng(0).uniform(0, 255, (side, side)).astype(np.float32)
    grid = Grid(name="g", bands=("a",), dtype="float32")
    prepare = Preprocess(recipe((grid,), ("a",), size=224, resize=method), CPU)
    ours = prepare({"g": torch.from_numpy(image)[None, None]})[0, 0].numpy()
    filters = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
    theirs = np.asarray(Image.fromarray(image).resize((224, 224), filters[method]))
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_resize_does_not_depend_on_the_rest_of_the_batch():
    grid = Grid(name="g", bands=("a",), dtype="uint16")
    prepare = Preprocess(recipe((grid,), ("a",), size=32), CPU)
    batch = pixels(1, 20)
    np.testing.assert_array_equal(prepare({"g": batch})[1], prepare({"g": batch[1:]})[0])
