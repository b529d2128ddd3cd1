"""Which differences of two embed recipes make features mean something else."""

from copy import deepcopy

import pytest

from featbank.errors import StoreError
from featbank.recipes.match import recipe_mismatches, require_same_embedding

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


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("algorithm", 2, "version of the embedding algorithm 2 instead of 1"),
        ("dataset.units", ["dB"] * 6, "units of the bands dB, dB, dB, dB, … (6) instead of DN"),
        ("input.bands", ["B04"], "bands B04 instead of B02, B03"),
        ("input.adapter", "rgb", "adapter rgb instead of pca3"),
        ("input.adapter.weights", [[0.5, 0.3]], "adapter pca3 with other numbers"),
        (
            "input.normalise.mean",
            [1.0] * 5 + [2.0],
            "mean subtracted 2.0 instead of 1.0 at place 6",
        ),
        ("model.config.patch_px", 14, "patch px 14 instead of 16"),
        ("model.weights_sha256", "cd" * 32, "weights sha256 cdcdcdcd… instead of sha256 abababab…"),
        ("model.config.positions", "plain", "positions plain instead of none"),
        ("store_dtype", "float16", "storage dtype float16 instead of float32"),
    ],
)
def test_what_makes_other_features_is_told(place, value, words):
    (found,) = recipe_mismatches(RECIPE, changed(place, value))
    assert words in found


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("dataset.name", "b"),
        ("dataset.fingerprint", "g"),
        ("dataset.limit", 3),
        ("input.normalise.source", "12 chips"),
        ("features", ["cls", "mean"]),
        ("layers", [0, 3]),
        ("model.seed", 4),
    ],
)
def test_what_belongs_to_the_images_is_free(place, value):
    assert recipe_mismatches(RECIPE, changed(place, value)) == ()


def test_a_seed_counts_where_no_hash_tells_the_weights():
    recipe = deepcopy(RECIPE)
    recipe["model"].pop("weights_sha256")
    other = deepcopy(recipe)
    other["model"]["seed"] = 4
    assert recipe_mismatches(recipe, other) == ("seed of the weights 4 instead of 0",)


def test_tuples_and_lists_are_the_same():
    assert recipe_mismatches(RECIPE, changed("input.bands", ("B02", "B03"))) == ()


def test_all_that_differs_is_refused_in_one_line():
    other = changed("algorithm", 2) | {"store_dtype": "float16"}
    with pytest.raises(StoreError, match=r"^s: is embedded .*algorithm 2 .*; storage .* Do\.$"):
        require_same_embedding(RECIPE, other, subject="s", remedy="Do.")
