"""Thumbnails fit what the page has left, and keep their order."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from featbank.pages.report.sprites import COLUMNS, PER_SHEET, _tiled, sprites_within


def chips(n):
    """(n, 64, 64, 3): each of a grey of its own, with noise that costs bytes."""
    levels = np.linspace(20, 200, n)[:, None, None, None]
    noise = np.random.default_rng(0).normal(size=(n, 64, 64, 3)) * 12
    return np.clip(levels + noise, 0, 255).astype(np.uint8)


def shown(sprites, place):
    """A thumbnail, cut from its sheet."""
    data = base64.b64decode(sprites.sheets[place // PER_SHEET])
    sheet = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    row, column = divmod(place % PER_SHEET, COLUMNS)
    side = sprites.side_px
    return sheet[row * side : (row + 1) * side, column * side : (column + 1) * side]


@pytest.mark.parametrize("budget", [400_000, 90_000, 40_000])
def test_sheets_fit_the_budget(budget):
    found = sprites_within(chips(300), np.arange(300), budget)
    assert 0 < sum(map(len, found.sheets)) <= budget


def test_a_great_budget_keeps_every_chip_at_its_best():
    found = sprites_within(chips(40), np.arange(40), 10**7)
    assert (found.side_px, len(found.rows)) == (64, 40)


def test_a_small_budget_keeps_fewer_chips_rather_than_none():
    found = sprites_within(chips(300), np.arange(300), 900)
    assert 0 < len(found.rows) < 300
    assert sum(map(len, found.sheets)) <= 900


def test_smaller_thumbnails_do_not_mix_with_their_neighbours():
    black_and_white = np.zeros((64, 64, 64, 3), np.uint8)
    black_and_white[::2] = 255
    sheet = Image.fromarray(_tiled(black_and_white)).resize((32 * 48, 2 * 48), Image.Resampling.BOX)
    assert set(np.unique(np.asarray(sheet))) == {0, 255}


def test_no_budget_gives_no_sheet():
    assert sprites_within(chips(2), np.arange(2), 50) is None


def test_a_chip_is_found_where_it_is_said_to_be():
    many = chips(PER_SHEET + 5)
    found = sprites_within(many, np.arange(len(many)), 10**7)
    for place in (0, 31, 32, 700, PER_SHEET - 1, PER_SHEET, PER_SHEET + 4):
        assert abs(shown(found, place).mean() - many[place].mean()) < 3
