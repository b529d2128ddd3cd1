"""Pixels become input on the device as on the CPU, and nothing is copied or waited for."""

from dataclasses import replace

import pytest
import torch
from fake_gpu.tracing import traced

from featbank.image import Grid
from featbank.inputs.normalise import Statistics
from featbank.inputs.preprocess import InputRecipe, Preprocess

FINE = Grid(name="10m", bands=("B02", "B03"), dtype="uint16", size_px=None)
COARSE = Grid(name="20m", bands=("B05",), dtype="uint16", size_px=None)
RECIPE = InputRecipe(
    grids=(FINE, COARSE),
    bands=("B05", "B02", "B03"),
    image_size=32,
    resize="bicubic",
    statistics=Statistics(
        method="dataset", mean=(9.0, 5.0, 7.0), std=(3.0, 2.0, 4.0), source="made"
    ),
    fill=(1.0, 2.0, 3.0),
)
MIX = ((0.5, 0.5, 0.0), (0.0, 0.2, 0.8), (1.0, 0.0, 0.0))
RECIPES = {
    "resized": RECIPE,
    "made smaller": replace(RECIPE, image_size=16, resize="bilinear"),
    "nearest": replace(RECIPE, resize="nearest"),
    "native size": replace(RECIPE, image_size=None),
    "channels of bands": replace(RECIPE, weights=MIX),
}


def planes(dtype, *, missing):
    generator = torch.Generator().manual_seed(0)
    found = {
        "10m": torch.randint(0, 99, (4, 2, 24, 24), generator=generator).to(dtype),
        "20m": torch.randint(0, 99, (4, 1, 12, 12), generator=generator).to(dtype),
    }
    if missing:
        found["10m is missing"] = torch.rand(4, 2, 24, 24, generator=generator) < 0.3
        found["20m is missing"] = torch.rand(4, 1, 12, 12, generator=generator) < 0.3
    return found


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("dtype", [torch.uint16, torch.float32])
@pytest.mark.parametrize("name", RECIPES)
def test_input_and_what_misses_are_those_of_the_cpu(name, dtype, missing):
    given, found = planes(dtype, missing=missing), {}
    for place in ("cpu", "cuda"):
        prepare = Preprocess(RECIPES[name], torch.device(place))
        moved = {key: values.to(place) for key, values in given.items()}
        prepare.missing(moved, ("B05",))
        with traced() as trace:
            found[place] = [prepare(moved), *(prepare.missing(moved, ("B05",)) or ())]
        assert (trace.copies_in, trace.copies_out, trace.waits) == ([], [], [])
        assert torch.float64 not in trace.dtypes
    assert len(found["cpu"]) == (3 if missing else 1)
    for one, other in zip(found["cuda"], found["cpu"], strict=True):
        torch.testing.assert_close(one.cpu(), other, rtol=1e-5, atol=1e-5)
