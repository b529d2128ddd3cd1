"""Damaged weights: only refusals that name their file, never a traceback or a broken network."""

import numpy as np
import pytest

from tests.fuzz import weights_mutations
from tests.fuzz.weights_mutations import trial


@pytest.mark.parametrize("seed", range(8))
def test_damage_is_refused_or_harmless(seed, tmp_path):
    for number in range(25):
        folder = tmp_path / str(number)
        folder.mkdir()
        trial(np.random.default_rng((seed, number)), folder)


def test_a_broken_claim_is_seen(monkeypatch, tmp_path):
    def broken(_path):
        raise KeyError("a traceback")

    monkeypatch.setattr(weights_mutations, "load", broken)
    with pytest.raises(AssertionError, match="KeyError"):
        trial(np.random.default_rng(0), tmp_path)


def test_the_files_are_good_before_they_are_damaged(tmp_path):
    for name, data in weights_mutations._originals().items():
        (tmp_path / name).write_bytes(data)
        assert weights_mutations.load(tmp_path / name).is_read
