"""Which differences of two embed recipes make features mean something else."""

from copy import deepcopy

import pytest

from featbank.errors import StoreError
from featbank.recipes.same_embedding import (
    PREDICT,
    TRANSFER,
    match_recipes,
    require_same_embedding,
)

RECIPE = {
    "algorithm": 1,
    "dataset": {"name": "a", "fingerprint": "f", "units": ["DN"] * 6, "processing": "L1C"},
    "input": {
        "bands": ["B02", "B03"],
        "adapter": {"name": "pca3", "weights": [[0.5, 0.25]]},
        "normalise": {"method": "dataset", "mean": [1.0] * 6, "source": "54 chips"},
    },
    "model": {"name": "rcf", "config": {"patch_px": 16}, "weights_sha256": "ab" * 32, "seed": 0},
    "features": ["mean"],
    "layers": [0],
    "store_dtype": "float32",
}


def changed(place, value):
    recipe = deepcopy(RECIPE)
    *folders, last = place.split(".")
    inside = recipe
    for name in folders:
        inside = inside[name]
    inside[last] = value
    return recipe


def refusal(first, second):
    with pytest.raises(StoreError) as refused:
        require_same_embedding(first, second, subject="s", remedy="Do.")
    return str(refused.value)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("algorithm", 2, "version of the embedding algorithm 2 instead of 1"),
        ("dataset.units", ["dB"] * 6, "unit of the bands dB (6 times) instead of DN (6 times)"),
        ("input.bands", ["B04"], "bands B04 instead of B02, B03"),
        ("input.adapter", "rgb", "adapter rgb instead of name pca3"),
        ("input.adapter", {"name": "pca3", "weights": [[0.5, 0.3]]}, "weights 0.5, 0.3 instead of"),
        (
            "input.normalise.mean",
            [1.0] * 5 + [2.0],
            "mean subtracted 2.0 at place 6 instead of 1.0 at place 6",
        ),
        ("model.config.patch_px", 14, "patch px 14 instead of 16"),
        ("model.weights_sha256", "cd" * 32, "weights sha256 cdcdcdcd… instead of sha256 abababab…"),
        ("model.config.positions", "plain", "positions plain instead of none"),
        ("store_dtype", "float16", "storage dtype float16 instead of float32"),
    ],
)
def test_what_makes_other_features_is_told(place, value, words):
    assert words in refusal(RECIPE, changed(place, value))


@pytest.mark.parametrize("rules", [PREDICT, TRANSFER])
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("dataset.name", "b"),
        ("dataset.fingerprint", "g"),
        ("dataset.fingerprint_of", "files"),
        ("dataset.limit", 3),
        ("dataset.processing", "L2A"),
        ("input.normalise.source", "12 chips"),
        ("features", ["cls", "mean"]),
        ("layers", [0, 3]),
        ("model.seed", 4),
        ("model.weights", "a file"),
    ],
)
def test_what_belongs_to_the_images_is_free(rules, place, value):
    assert match_recipes(RECIPE, changed(place, value), rules).mismatches == ()


@pytest.mark.parametrize(("rules", "is_free"), [(PREDICT, False), (TRANSFER, True)])
def test_a_datasets_own_numbers_are_free_where_a_probe_is_transferred(rules, is_free):
    found = match_recipes(RECIPE, changed("input.normalise.mean", [2.0] * 6), rules)
    assert (found.mismatches == ()) == is_free


@pytest.mark.parametrize("rules", [PREDICT, TRANSFER])
def test_a_seed_counts_where_no_hash_tells_the_weights(rules):
    recipe = deepcopy(RECIPE)
    recipe["model"].pop("weights_sha256")
    other = deepcopy(recipe)
    other["model"]["seed"] = 4
    assert [d.field for d in match_recipes(recipe, other, rules).mismatches] == ["model.seed"]


def test_tuples_and_lists_are_the_same():
    found = match_recipes(RECIPE, changed("input.bands", ("B02", "B03")), PREDICT)
    assert found.mismatches == ()


def test_all_that_differs_is_refused_in_one_line():
    other = changed("algorithm", 2) | {"store_dtype": "float16"}
    with pytest.raises(StoreError, match=r"^s: is embedded .*algorithm 2 .*; storage .* Do\.$"):
        require_same_embedding(RECIPE, other, subject="s", remedy="Do.")
