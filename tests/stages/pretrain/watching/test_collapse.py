"""Runs that truly collapse, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest
from fake_dataset import RadarReader, radar
from tiny_training import Matching, spec, tiny_plan

from featbank.errors import TrainingError
from featbank.methods import METHODS
from featbank.stages.pretrain.run import pretrain

# DINO at the size of a test.
DINO = {
    "batch_size": 8,
    "lr_batch": 8,
    "lr": 1e-3,
    "warmup_epochs": 0.5,
    "prototypes": 64,
    "head_hidden": 32,
    "head_bottleneck": 16,
    "local_count": 2,
    "local_px": 8,
    "drop_path": 0.0,
    "last_layer_frozen_epochs": 0,
    "teacher_temperature_epochs": 0,
    "momentum": 0.9,
    "layer_scale_init": 1.0,
}
UNCENTRED = {"centre_momentum": 1.0, "teacher_temperature": 0.04, "norm_last_layer": False}
HOT = {"teacher_temperature_start": 0.2, "teacher_temperature": 0.2}
STILL = {"drop_path": 0.0, "noise": 0.0}


@pytest.fixture(autouse=True)
def little_patience(monkeypatch):
    monkeypatch.setattr("featbank.stages.pretrain.run._PATIENCE_STEPS", 30)


def dino_plan(folder, **hyper):
    spec = METHODS["dino"]
    return tiny_plan(
        folder, steps=200, method=spec, hyper={**spec.hyper, **DINO, **hyper}, save_every=0
    )


def test_dino_without_centring_gives_one_prototype_to_all(tmp_path):
    told = []
    with pytest.raises(TrainingError, match="every chip the same prototype: .* uses 1.00 proto"):
        pretrain(dino_plan(tmp_path, **UNCENTRED), tell=told.append)
    assert "warning, for 20 steps the teacher gives every chip the same" in told[0]


@pytest.mark.slow
def test_dino_with_a_hot_teacher_tells_no_prototypes_apart(tmp_path):
    with pytest.raises(TrainingError, match="the teacher tells no prototype from another"):
        pretrain(dino_plan(tmp_path, **HOT))


def test_views_that_are_only_to_agree_end_on_a_line(tmp_path):
    hyper = {"lr": 3e-3, "drop_path": 0.0, "weight_decay_end": 0.04, "layer_decay": 1.0}
    plan = tiny_plan(tmp_path, steps=600, method=spec(Matching), hyper=hyper, save_every=0)
    with pytest.raises(TrainingError, match="stopped at step .* along one line only"):
        pretrain(plan)


class Constant(RadarReader):
    def read(self, index):
        return {"s1": np.full((2, 24, 24), -9.3, np.float32)}


def test_constant_images_give_features_that_are_the_same(tmp_path):
    dataset = replace(radar(n=37), reader=Constant(), allows_constant=True)
    plan = tiny_plan(tmp_path, steps=300, dataset=dataset, save_every=0, hyper=STILL)
    with pytest.raises(TrainingError, match="features are the same for every chip"):
        pretrain(plan)
