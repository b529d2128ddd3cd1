import numpy as np
import pytest

from featbank.errors import ContractError
from featbank.image import Grid
from featbank.inputs.polarisation import PolarisationLevels


def levels(vv, vh, bands=("VV", "VH")):
    found = PolarisationLevels((Grid(name="s1", bands=bands, dtype="float32"),))
    planes = {"VV": vv, "VH": vh}
    pixels = np.stack([np.full((4, 4), planes[b], np.float32) for b in bands])[None]
    found.add({"s1": pixels})
    return found


@pytest.mark.parametrize("bands", [("VV", "VH"), ("VH", "VV")])
def test_vv_above_vh_passes_in_either_order(bands):
    levels(-12.6, -19.3, bands).require_order("s1")


@pytest.mark.parametrize("vh", [-12.6, -5.0])
def test_vv_at_or_below_vh_is_refused_with_both_levels(vh):
    with pytest.raises(ContractError, match=rf"mean VV is -12.60 dB and mean VH is {vh:.2f} dB"):
        levels(-12.6, vh).require_order("s1")


def test_other_bands_are_not_looked_at():
    levels(-20.0, -10.0, ("VV",)).require_order("s1")
