import made_images
import numpy as np
import pytest

from tests.fuzz import images_mutations

TRIALS = 40


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_damaged_images_are_refused_by_name_or_equal_another_reader(tmp_path):
    for seed in range(TRIALS):
        images_mutations.trial(np.random.default_rng(seed), tmp_path / "trial")


def test_a_wrong_pixel_is_told(tmp_path):
    path = made_images.write_kind(tmp_path, "u16-pixel-strips")
    pixels = images_mutations.examine(path).pixels.copy()
    pixels[2, 3, 4] += 1
    with pytest.raises(AssertionError, match="1 of 2400 pixels differ"):
        images_mutations._require_equal(pixels, path, "x")


def test_a_mask_that_is_not_seen_is_told(tmp_path):
    path = made_images.write_kind(tmp_path, "mask-page")
    plain = np.ma.getdata(images_mutations.examine(path).pixels)
    with pytest.raises(AssertionError, match="0 pixels missing"):
        images_mutations._require_equal(plain, path, "x")
