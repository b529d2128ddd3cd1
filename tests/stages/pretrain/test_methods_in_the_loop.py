"""Every method of the catalog, cut and resumed by the true loop."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file
from tiny_training import tiny_plan

from featbank.methods import METHODS
from featbank.stages.pretrain.run import pretrain

# Whatever of these a method has makes it small.
SMALL = {
    "lr_batch": 8,
    "lr": 1e-3,
    "warmup_epochs": 0.5,
    "prototypes": 64,
    "head_hidden": 32,
    "head_bottleneck": 16,
    "local_count": 2,
    "local_px": 8,
    "drop_path": 0.25,
    "teacher_temperature_epochs": 1,
}


class Cut(BaseException):
    """Ends a run as an interruption does."""


# On a GPU some sums have no fixed order: AdamW's quotients of small numbers let two runs
# drift apart. How far has not been measured; this is a bound of a tensor's size, not a finding.
DRIFT = 2e-2


def cut_at_6(done, _):
    if done == 6:
        raise Cut


def plan_of(folder, name):
    spec = METHODS[name]
    hyper = {**spec.hyper, **{key: SMALL[key] for key in SMALL if key in spec.hyper}}
    return tiny_plan(folder, steps=9, method=spec, hyper=hyper)


def whole_and_resumed(plans):
    """Tensors of each file of a run, and of one that was cut at step 6 and went on."""
    whole, cut = plans
    pretrain(whole)
    with pytest.raises(Cut):
        pretrain(cut, progress=cut_at_6)
    assert pretrain(cut).done == 5
    files = list(whole.path.glob("*.safetensors"))
    assert files
    return [(load_file(file), load_file(cut.path / file.name)) for file in files]


@pytest.mark.parametrize("name", [name for name, spec in METHODS.items() if not spec.needs_teacher])
def test_a_method_cut_and_resumed_ends_with_the_same_weights(tmp_path, name):
    for one, other in whole_and_resumed(plan_of(tmp_path / f, name) for f in ("whole", "cut")):
        assert all(np.array_equal(one[key], other[key]) for key in one)


@pytest.mark.gpu
@pytest.mark.parametrize("name", [name for name, spec in METHODS.items() if not spec.needs_teacher])
def test_on_a_gpu_it_ends_with_the_same_weights_to_rounding(tmp_path, name):
    plans = (on_gpu(plan_of(tmp_path / folder, name)) for folder in ("whole", "cut"))
    for one, other in whole_and_resumed(plans):
        for key, values in one.items():
            drift = np.linalg.norm(other[key] - values)
            assert drift <= DRIFT * max(np.linalg.norm(values), 1e-3), key


def on_gpu(plan):
    return replace(plan, options=replace(plan.options, device="cuda"))
