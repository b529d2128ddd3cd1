"""A dataset as a notebook shows it."""

from dataclasses import replace

from fake_dataset import radar


def test_it_tells_chips_labels_splits_and_licence():
    html = radar()._repr_html_()
    for text in ("s1 24 × 24 px", "class (2 classes)", "official: 12 train, 4 val, 4 test", "CC0"):
        assert text in html


def test_bands_have_wavelength_resolution_and_unit():
    bands = radar()._repr_html_().split("2 bands")[1]
    for text in ("VV", "VH", "55465.8000", ">10<", "dB"):
        assert text in bands


def test_notes_are_shown_as_text():
    assert "&lt;script&gt;" in radar(notes=("<script>",))._repr_html_()


def test_chips_of_several_sizes_are_no_trouble():
    dataset = radar()
    grids = (replace(dataset.grids[0], size_px=None),)
    assert "s1 of several sizes" in replace(dataset, grids=grids)._repr_html_()
