"""Hyper-parameters in place of a method's own."""

import pytest

from featbank.errors import UsageError
from featbank.methods import METHODS
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.settings.hyper import settled_hyper


def settled(method="mae", **hyper):
    options = PretrainOptions(method=method, model="vit-tiny", dataset="any", hyper=hyper)
    return settled_hyper(METHODS[method], options)


def test_what_is_not_given_stays_as_published():
    assert settled() == METHODS["mae"].hyper


@pytest.mark.parametrize("name", ["warmup_epochs", "teacher_temperature_epochs"])
def test_a_length_may_end_within_an_epoch(name):
    assert settled("dino", **{name: 0.5})[name] == 0.5


def test_whole_epochs_stay_whole_numbers():
    assert isinstance(settled(warmup_epochs=2)["warmup_epochs"], int)


@pytest.mark.parametrize(
    ("method", "hyper", "match"),
    [
        ("mae", {"warmup_epochs": "soon"}, "is no number"),
        ("mae", {"warmup_epochs": -0.5}, "is negative"),
        ("mae", {"decoder_depth": 1.5}, "is no whole number"),
        ("mae", {"norm_pixels": 1}, "is no true or false"),
        ("dino", {"global_scale": [0.4]}, "is no list of as many numbers"),
        ("dino", {"prototype": 5}, "Did you mean 'prototypes'"),
        ("dino", {"epochs": 5}, "--epochs"),
    ],
)
def test_what_does_not_fit_is_one_line(method, hyper, match):
    with pytest.raises(UsageError, match=match):
        settled(method, **hyper)
