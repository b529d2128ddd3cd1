"""Untrained weights are drawn on the CPU, whatever GPUs a machine has."""

import pytest

from featbank.backbones import BACKBONES


@pytest.mark.parametrize(("name", "smaller"), [("dofa", {"depth": 1}), ("resnet50", {})])
def test_several_gpus_are_not_asked_for_their_state(name, smaller, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    looked = []
    monkeypatch.setattr("torch.cuda.get_rng_state", looked.append)
    spec = BACKBONES[name]
    spec.initial({**spec.config, **smaller}, 0)
    assert looked == []
