"""Fixtures of a small store; ``fakes/fake_store.py`` makes it."""

import pytest
from fake_store import make_store


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("bank") / "a.zarr")


@pytest.fixture
def unfinished(tmp_path):
    return make_store(tmp_path / "b.zarr", shards=(0, 2))
