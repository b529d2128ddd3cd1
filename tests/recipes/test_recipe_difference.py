"""Differences of two recipes in words."""

import pytest
from small_store import RECIPE, changed

from featbank.recipes.difference import recipe_differences


def only(field, value, recipe=RECIPE):
    found = recipe_differences(recipe, changed(field, value))
    assert [item.field for item in found] == [field]
    return found[0]


def test_equal_recipes_have_none():
    assert recipe_differences(RECIPE, changed("layers", [0])) == ()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("compute_dtype", "bfloat16", ("compute dtype", "float32", "bfloat16")),
        ("input.image_size", None, ("image size", "32", "-")),
        ("input.normalise.mean", [1.5, 2.0], ("mean subtracted", "1, 2", "1.5, 2")),
        ("dataset.units", ["dB", "dB"], ("unit of the bands", "DN (2 times)", "dB (2 times)")),
        ("input.bands", list("abcdef"), ("bands", "B1, B2", "a, b, c, d, … (6 in all)")),
        ("model.weights_sha256", "b" * 64, ("weights", "sha256 aaaaaaaa…", "sha256 bbbbbbbb…")),
        (
            "input.adapter",
            {"name": "pca3", "weights": [[0.5, 0.25]]},
            ("adapter", "none", "name pca3, weights 0.5, 0.25"),
        ),
    ],
)
def test_fields_are_told_in_words(field, value, words):
    item = only(field, value)
    assert (item.name, item.first, item.second) == words


def test_a_setting_of_a_model_goes_by_its_own_name():
    found = recipe_differences(RECIPE, changed("model.config", {"channels": 2, "patch_px": 8}))
    assert [(item.name, item.first, item.second) for item in found] == [("patch px", "-", "8")]


def test_long_lists_that_begin_alike_are_told_where_they_part():
    one, other = list(range(10)), [*range(9), 99]
    item = recipe_differences(changed("layers", one), changed("layers", other))[0]
    assert (item.first, item.second) == ("9 at place 10", "99 at place 10")


def test_a_list_that_ends_earlier_is_told():
    item = recipe_differences(changed("layers", [1] * 5), changed("layers", [1] * 6))[0]
    assert (item.first, item.second) == ("1 (5 times)", "1 (6 times)")


def test_differences_stand_in_the_order_of_the_recipe():
    other = changed("dataset.name", "x", changed("store_dtype", "float16"))
    assert [item.field for item in recipe_differences(RECIPE, other)] == [
        "dataset.name",
        "store_dtype",
    ]


def test_adapters_whose_shown_numbers_agree_are_told_in_a_few_words():
    rows = [[0.5] * 6] * 6
    one, other = ({"name": "pca6", "weights": [*rows[:5], [value] * 6]} for value in (0.5, 0.25))
    first, second = changed("input.adapter", one), changed("input.adapter", other)
    (item,) = recipe_differences(first, second)
    assert item.first != item.second
    assert len(str(item)) < 200
