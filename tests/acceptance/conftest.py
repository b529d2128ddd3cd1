"""The first real run, made once for all acceptance tests: the tiny ViT on 3,000 aerial scenes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import featbank


@pytest.fixture(scope="session")
def shell():
    """Run featbank as a user does, and read the object that it prints."""

    def run(bank, *args):
        command = [sys.executable, "-m", "featbank", *map(str, args), "--bank", str(bank), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def aid_bank(tmp_path_factory, shell, aid100, tiny_weights):
    """A bank with image statistics and the last four blocks of the tiny ViT."""
    root = tmp_path_factory.mktemp("aid") / "bank"
    shell(root, "embed", "--model", "imagestats", "--dataset", aid100)
    vit = ("--model", "vit-tiny", "--weights", tiny_weights, "--normalise", "half")
    shell(root, "embed", *vit, "--layers", "-4,-3,-2,-1", "--dataset", aid100)
    return root


@pytest.fixture(scope="session")
def aid_store(aid_bank):
    """The store of the tiny ViT."""
    return featbank.open_store(next((aid_bank / "stores" / "aid100").glob("vit-tiny-*.zarr")))


@pytest.fixture(scope="session")
def aid_split(aid_store):
    """Features and labels of train and validation together, then of test, of ``random-0``."""
    train, val, test = (
        aid_store.xy(name, split_scheme="random-0") for name in ("train", "val", "test")
    )
    return np.concatenate([train[0], val[0]]), np.concatenate([train[1], val[1]]), *test
