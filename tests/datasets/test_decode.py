import imagecodecs
import numpy as np
import pytest

from featbank.datasets.decode import FileLayout, decode, inspect
from featbank.errors import DecodeError

RGB = FileLayout(bands=3, dtype="uint8")


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 255, (24, 20, 3), dtype=np.uint8)


def test_kind_is_read_from_the_bytes(pixels):
    data = imagecodecs.png_encode(pixels)
    np.testing.assert_array_equal(decode(data, name="a.jpg", layout=RGB), pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("planar", [False, True])
def test_both_tiff_layouts_give_bands_first(tmp_path, planar):
    import tifffile

    cube = np.random.default_rng(0).integers(0, 9999, (5, 16, 12), dtype=np.uint16)
    path = tmp_path / "x.tif"
    config, data = ("separate", cube) if planar else ("contig", cube.transpose(1, 2, 0))
    tifffile.imwrite(path, data, planarconfig=config, photometric="minisblack")
    layout = inspect(path)
    np.testing.assert_array_equal(decode(path.read_bytes(), name="x", layout=layout), cube)


def test_text_is_named_with_its_first_bytes():
    with pytest.raises(DecodeError, match="a.jpg: starts with b'hello"):
        decode(b"hello world", name="a.jpg", layout=RGB)


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_file_cut_short_does_not_decode(pixels, kind):
    data = getattr(imagecodecs, f"{kind}_encode")(pixels)
    with pytest.raises(DecodeError, match=f"does not decode as {kind.upper()}"):
        decode(data[: len(data) // 2], name="a", layout=RGB)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_a_real_tiff_cut_short_does_not_decode(eurosat100, share):
    path = next(eurosat100.glob("*/*.tif"))
    data = path.read_bytes()
    with pytest.raises(DecodeError):
        decode(data[: int(share * len(data))], name="a", layout=inspect(path))


def test_another_number_of_bands_is_named(pixels):
    data = imagecodecs.png_encode(pixels[..., 0].copy())
    with pytest.raises(DecodeError, match="expected 3 bands"):
        decode(data, name="grey.png", layout=RGB)
