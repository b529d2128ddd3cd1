"""Control characters of names are written out, and act nowhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.shown import shown

ACTING = ["\x00", "\x07", "\x1b[31m", "\n", "\r", "\t", "\x7f", "\x9b", "\u202e", "\u2066",
          "\u200f", "\u2028", "\udcff", "\ufeff"]  # fmt: skip


@pytest.mark.parametrize("sign", ACTING, ids=ascii)
def test_no_acting_sign_is_left(sign):
    assert sign[0] not in shown(f"a{sign}b")
    assert shown(f"a{sign}b").startswith("a\\")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_all_other_text_stays(text):
    assert shown(text) == text


@given(st.text(st.characters()))
def test_text_of_any_kind_prints_as_utf_8_on_one_line(text):
    assert shown(text).encode() == shown(text).encode("utf-8")
    assert len(shown(text).splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", shown(text))


def test_lines_stand_where_they_are_kept():
    assert shown("a\n\x1bb", keeps_lines=True) == "a\n\\x1bb"
