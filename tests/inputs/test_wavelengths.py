import numpy as np
import pytest

from featbank.errors import UsageError
from featbank.inputs.wavelengths import parse_wavelengths

NM = (0.4661, 0.55, 1.6137)


@pytest.mark.parametrize("text", ["0.4661,0.55,1.6137", "466.1, 550,1613.7"])
def test_a_list_is_in_micrometres_or_nanometres(text):
    assert parse_wavelengths(text) == NM


def test_radar_wavelengths_stay_as_they_are():
    assert parse_wavelengths("3.75,5.405,55465.8") == (3.75, 5.405, 55465.8)


def test_a_range_is_evenly_spaced_with_both_ends():
    found = parse_wavelengths("400:1000:369")
    np.testing.assert_allclose(found, np.linspace(0.4, 1.0, 369), atol=1e-9)


@pytest.mark.parametrize(
    "content",
    [
        "466.1\n550\n1613.7\n",
        "# centre, nm\n466.1 550\t1613.7",
        "\ufeffband,Centre wavelength (nm),fwhm\nblue,466.1,10\ngreen,550,11\nswir,1613.7,90\n",
        "band;wavelength_um\nblue;0.4661\ngreen;0.55\nswir;1.6137\n",
        "ENVI\nwavelength units = Nanometers\nwavelength = {\n 466.1, 550.0,\n 1613.7}\n",
        "ENVI\nwavelength = { 0.4661 , 0.55, 1.6137 }\nwavelength units = Micrometers\n",
    ],
)
def test_a_file_holds_them(tmp_path, content):
    path = tmp_path / "bands.txt"
    path.write_text(content, encoding="utf-8")
    assert parse_wavelengths(str(path)) == NM


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.4,red", "'red' is no number"),
        ("0.4,-1", "-1 is no wavelength"),
        ("0.4,nan", "nan is no wavelength"),
        ("400:1000:x", "'x' is no count of bands"),
        ("400:1000:1", "'1' is no count of bands"),
        ("bands.txt", "'bands.txt' is no number"),
        ("", "'' is no number"),
    ],
)
def test_what_is_no_wavelength_is_refused_in_one_line(text, found):
    with pytest.raises(UsageError, match=found):
        parse_wavelengths(text)


def test_an_empty_file_is_refused_by_its_name(tmp_path):
    (tmp_path / "none.csv").write_text("wavelength\n")
    with pytest.raises(UsageError, match="none.csv: holds no number"):
        parse_wavelengths(str(tmp_path / "none.csv"))
