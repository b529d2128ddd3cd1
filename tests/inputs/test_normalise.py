import pytest

from featbank.bands import RGB, SENTINEL2
from featbank.errors import ContractError
from featbank.inputs.normalise import published


def test_half_maps_bytes_to_minus_one_and_one():
    half = published("half", RGB, dataset="d")
    assert [(x - half.mean[0]) / half.std[0] for x in (0, 255)] == [-1, 1]


def test_imagenet_is_in_units_of_bytes():
    assert published("imagenet", RGB, dataset="d").mean[0] == pytest.approx(123.675)


def test_none_changes_nothing():
    none = published("none", SENTINEL2, dataset="d")
    assert (set(none.mean), set(none.std)) == ({0.0}, {1.0})


@pytest.mark.parametrize("method", ["half", "imagenet"])
def test_byte_statistics_are_refused_for_dn(method):
    with pytest.raises(ContractError, match=r"B04 is in unit 'DN'.*--normalise dataset"):
        published(method, [b for b in SENTINEL2 if b.name == "B04"], dataset="d")


def test_imagenet_is_refused_for_other_orders():
    with pytest.raises(ContractError, match="blue, green, red"):
        published("imagenet", RGB[::-1], dataset="d")
