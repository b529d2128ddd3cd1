"""What a folder's numbers are, where the user says it."""

import numpy as np
import pytest
import tifffile
from fake_chips import write_chips

from featbank.errors import RefusedError, UsageError
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.units import UNITS, unit_of
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.store.reader import Store


def write_tiffs(root, make, *, bands=3, chips=12, dtype=np.float32):
    rng = np.random.default_rng(0)
    for label in ("wet", "dry"):
        (root / label).mkdir(parents=True)
        for i in range(chips):
            pixels = make(rng.random((16, 16, bands))).astype(dtype)
            tifffile.imwrite(root / label / f"{i:02d}.tif", pixels, photometric="minisblack",
                             planarconfig="contig")  # fmt: skip
    return root


@pytest.fixture
def plan(tmp_path):
    def make(root, **options):
        settings = {"model": "imagestats", "bank": tmp_path / "bank", "workers": 0} | options
        return plan_embed(EmbedOptions(dataset=str(root), **settings))

    return make


def test_float_images_of_0_to_255_are_rgb_where_the_user_says_so(plan, tmp_path):
    floats = write_tiffs(tmp_path / "floats", lambda x: x * 255)
    made = plan(floats, unit="uint8", model="vit-tiny", weights="random", normalise="imagenet")
    assert [band.name for band in made.imagery.dataset.bands] == ["red", "green", "blue"]
    assert made.recipe["dataset"]["units"] == ["uint8"] * 3


def test_float_images_embed_as_the_same_eight_bit_ones(plan, tmp_path):
    chips = write_chips(tmp_path / "chips")
    for path in sorted(chips.rglob("*.png")):
        from PIL import Image

        pixels = np.asarray(Image.open(path)).astype(np.float32)
        place = tmp_path / "floats" / path.relative_to(chips).with_suffix(".tif")
        place.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(place, pixels, photometric="rgb")
    options = {"model": "vit-tiny", "weights": "random", "normalise": "imagenet"}
    options |= {"image_size": 32, "dtype": "float32"}
    stores = [
        Store(embed_dataset(plan(root, **options, **more)).store)
        for root, more in ((chips, {}), (tmp_path / "floats", {"unit": "uint8"}))
    ]
    np.testing.assert_allclose(stores[0].features(), stores[1].features(), atol=1e-6)


@pytest.mark.parametrize(
    ("unit", "scale", "reason"),
    [
        ("uint8", 4000, "where uint8 is declared, 0 to 255"),
        ("uint8", 1, "this looks like 0 to 1"),
        ("DN", 0.5, "this looks like reflectance"),
        ("reflectance", 4000, "this looks like DN"),
        ("linear", -20, "where power is declared: this looks like dB"),
        ("amplitude", -20, "where power is declared: this looks like dB"),
    ],
)
def test_numbers_that_belie_the_unit_are_refused(plan, tmp_path, unit, scale, reason):
    root = write_tiffs(tmp_path / "chips", lambda x: x * scale)
    with pytest.raises(RefusedError, match=reason):
        plan(root, unit=unit)


def test_the_unit_is_part_of_the_recipe(plan, tmp_path):
    root = write_tiffs(tmp_path / "chips", lambda x: -20 * x - 0.5, bands=2)
    plans = [plan(root, unit=unit) for unit in (None, "dB", "gamma0-dB", "sigma0-dB")]
    assert len({made.path for made in plans}) == 4
    assert plans[2].recipe["dataset"]["calibration"] == "gamma0"


def test_the_stored_command_repeats_the_unit(plan, tmp_path):
    root = write_tiffs(tmp_path / "chips", lambda x: -20 * x - 0.5, bands=2)
    path = embed_dataset(plan(root, unit="gamma0-dB")).store
    assert "--unit gamma0-dB" in Store(path).attributes["command"]


def test_a_store_of_a_said_unit_shows_its_chips(plan, tmp_path):
    from featbank.pictures.chip_pictures import ChipPictures

    floats = write_tiffs(tmp_path / "floats", lambda x: x * 255)
    store = Store(embed_dataset(plan(floats, unit="uint8")).store)
    assert ChipPictures(store).rgb(store.ids[:1].tolist())[0].shape == (16, 16, 3)


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_told_again_from_a_recipe(unit):
    calibration, _, plain = unit.rpartition("-")
    assert unit_of([plain, plain], calibration) == unit


def test_a_near_unit_is_suggested(plan, tmp_path):
    root = write_tiffs(tmp_path / "chips", lambda x: x, bands=2)
    with pytest.raises(UsageError, match="Did you mean 'gamma0-dB'"):
        plan(root, unit="gama0-dB")


def test_a_named_dataset_says_itself_what_its_numbers_are(plan):
    with pytest.raises(UsageError, match="says itself what its numbers are"):
        plan("synthetic-s2", unit="DN", chips=8)
