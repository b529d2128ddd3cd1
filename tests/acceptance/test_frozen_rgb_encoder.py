"""Hyperspectral imagery as three components, a frozen RGB encoder, and MAE's decoder alone learns.

Its loss says how much an encoder of RGB images knows of the components.
"""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import featbank

SHORT = {"image_size": 32, "batch_size": 8, "chips": 60, "workers": 0}
ENCODER, HEADS = "encoder.safetensors", "heads.safetensors"


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return tmp_path_factory.mktemp("bank")


@pytest.fixture(scope="module")
def rgb(bank):
    """The encoder of RGB images, trained for two steps."""
    hyper = {"warmup_epochs": 0, "lr": 1e-3, "lr_batch": 8}
    return featbank.pretrain(
        "mae", "vit-tiny", "synthetic-rgb", bank=bank, hyper=hyper, steps=2, **SHORT
    )


@pytest.fixture(scope="module")
def components(bank, rgb):
    """The decoder learns on three components of a hyperspectral sensor's bands."""
    hyper = {"warmup_epochs": 0, "lr": 2e-3, "lr_batch": 8}
    options = {"adapt": "pca3", "weights": str(rgb), "frozen_encoder": True, "hyper": hyper}
    return featbank.pretrain(
        "mae", "vit-tiny", "synthetic-ohs", bank=bank, steps=40, **options, **SHORT
    )


def test_the_encoder_stays_that_of_rgb_images_bit_for_bit(rgb, components):
    before, after = load_file(rgb / ENCODER), load_file(components / ENCODER)
    blocks = [name for name in before if "pos_embed" not in name]
    assert all(np.array_equal(before[name], after[name]) for name in blocks)


def test_the_decoder_learns(components):
    loss = pd.read_parquet(components / "log.parquet")["loss"]
    assert loss.iloc[-10:].mean() < 0.97 * loss.iloc[:10].mean()


def test_the_checkpoint_embeds_all_bands_by_the_components_it_was_made_with(bank, components):
    store = featbank.embed(str(components), "synthetic-ohs", bank=bank, chips=60, workers=0)
    made = featbank.open_checkpoint(components).recipe["input"]["adapter"]["weights"]
    assert store.attributes["recipe"]["input"]["adapter"]["weights"] == made
    assert np.isfinite(store.features()).all()
