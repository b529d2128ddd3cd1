"""Ids of recipes, results and checkpoints, and bytes of stores, are those that were pinned."""

import json

import numpy as np
import pytest

from tests.fixtures import pin_identities

pytestmark = pytest.mark.slow

PINNED = json.loads(pin_identities.FILE.read_text())


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return pin_identities.found(tmp_path_factory.mktemp("pinned"))


@pytest.mark.parametrize("name", pin_identities.STORES)
def test_a_store_has_its_name_and_recipe(found, name):
    made, pinned = found["stores"][name], PINNED["stores"][name]
    assert (made["name"], made["recipe"]) == (pinned["name"], pinned["recipe"])


@pytest.mark.parametrize("name", pin_identities.STORES)
def test_files_of_a_store_have_the_same_bytes(found, name):
    assert found["stores"][name]["files"] == PINNED["stores"][name]["files"]


@pytest.mark.parametrize("name", pin_identities.STORES)
def test_features_are_the_same(found, name):
    made, pinned = found["stores"][name]["features"], PINNED["stores"][name]["features"]
    np.testing.assert_allclose(made, pinned, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", pin_identities.PROBES)
def test_results_of_a_probe_have_their_ids(found, name):
    assert found["results"][name] == PINNED["results"][name]


@pytest.mark.parametrize("name", pin_identities.METHODS)
def test_a_checkpoint_has_the_id_of_its_recipe(found, name):
    assert found["checkpoints"][name] == PINNED["checkpoints"][name]
