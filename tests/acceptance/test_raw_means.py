"""Pooled features of PANGAEA's k-NN, end to end on real scenes with trained weights."""

import numpy as np
import pytest
from golden_protocols import LAYERS, read_golden

import featbank


@pytest.fixture(scope="module")
def store(aid100, tiny_weights, tmp_path_factory):
    return featbank.embed(
        "vit-tiny",
        aid100,
        weights=str(tiny_weights),
        normalise="half",
        image_size=96,
        layers=LAYERS,
        features="mean_raw",
        dtype="float32",
        limit=20,
        workers=0,
        bank=tmp_path_factory.mktemp("bank"),
    )


def test_three_blocks_raw_and_the_last_normed_are_those_that_pangaea_reads(store, shared):
    arrays, ids, _ = read_golden(shared / "golden" / "protocols.safetensors")
    rows = [ids.index(name.rsplit(".", 1)[0]) for name in store.ids]
    expected = arrays["features.mean4"][rows]
    raw = [store.features("mean_raw", layer=layer) for layer in LAYERS[:-1]]
    found = np.concatenate([*raw, store.features("mean")], axis=1)
    assert len(found) == 60
    # Parity of features: 1e-5 of the largest absolute value, float32 on a CPU.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
