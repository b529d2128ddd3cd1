import pytest

from featbank.errors import ContractError
from featbank.image import Grid


def grid(size):
    return Grid(name="10m", bands=("B02",), dtype="uint16", size_px=size)


@pytest.mark.parametrize("size", [32, (32,), [32, 32], (32, 0), (32.0, 32.0)])
def test_a_size_that_is_not_height_and_width_is_refused_with_what_to_write(size):
    with pytest.raises(ContractError) as caught:
        grid(size)
    assert caught.value.subject == "grid '10m'"
    assert "Write size_px=(32, 32)" in str(caught.value)


@pytest.mark.parametrize("size", [(32, 48), None])
def test_a_size_of_height_and_width_is_taken(size):
    assert grid(size).size_px == size
