import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.recipes.recipe import canonical_json, file_sha256, recipe_id, round_significant


@given(st.dictionaries(st.text(), st.integers()))
def test_the_id_does_not_depend_on_the_order_of_keys(recipe):
    assert recipe_id(recipe) == recipe_id(dict(reversed(recipe.items())))


def test_the_id_is_stable_over_releases():
    assert recipe_id({"bands": ["VV", "VH"], "size": 224}).startswith("7e22a517")


def test_tuples_and_lists_are_one():
    assert canonical_json({"a": (1, 2)}) == canonical_json({"a": [1, 2]})


def test_nan_has_no_place_in_a_recipe():
    with pytest.raises(ValueError, match="not JSON compliant"):
        recipe_id({"mean": float("nan")})


def test_file_hash_is_sha256(tmp_path):
    path = tmp_path / "w.bin"
    path.write_bytes(b"x" * 3_000_000)
    assert file_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@given(st.integers(100_000, 999_999), st.integers(-8, 8))
def test_rounding_forgets_the_last_bits(digits, exponent):
    value = digits * 10.0**exponent
    assert round_significant([value * (1 + 1e-12)]) == round_significant([value])
