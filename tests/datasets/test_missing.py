import math

import numpy as np
import pytest

from featbank.datasets.decoding.missing import NoNumber, as_number, fill_value, matches


@pytest.mark.parametrize("text", ["nan", "-nan", "NaN", "-1.#IND", "1.#QNAN", "nan(ind)", " nan "])
def test_texts_of_c_libraries_are_nan(text):
    assert math.isnan(as_number(text))


@pytest.mark.parametrize(("text", "number"), [("-inf", -math.inf), ("1.#INF", math.inf)])
def test_texts_of_c_libraries_are_infinite(text, number):
    assert as_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "none", "1_0", "0x10", "2 or 3", "\u0661", "--1", "e5", "9" * 500]
)
def test_what_is_no_number_is_none(text):
    with pytest.raises(NoNumber):
        as_number(text)


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "i8"])
def test_long_digits_are_a_real_number(dtype):
    found = matches(np.zeros(3, dtype), "9" * 300)
    assert found is None or not found.any()


def test_the_largest_integers_are_exact():
    pixels = np.array([2**64 - 1, 2**64 - 2], dtype="u8")
    assert matches(pixels, str(2**64 - 1)).tolist() == [True, False]


def test_a_fill_that_the_type_cannot_hold_is_0():
    assert fill_value(np.dtype("u1"), "-9999") == 0
    assert fill_value(np.dtype("f4"), "-9999") == -9999
