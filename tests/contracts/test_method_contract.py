"""Every pretraining method keeps what its record promises, whoever added it."""

import subprocess
import sys

import pytest
import torch

from featbank.layers.vit import VisionTransformer, random_state
from featbank.layers.vit_config import VitConfig
from featbank.methods import METHODS
from featbank.methods.method import Length, MethodRequest, StepOutput, Teacher
from featbank.methods.parts.draws import Draws

EACH = pytest.mark.parametrize("name", list(METHODS))
CONFIG = {"dim": 24, "depth": 2, "heads": 2, "patch_px": 8, "channels": 5, "grid": 4, "mlp_dim": 48}
LENGTH = Length(steps=20, steps_per_epoch=5, batch_size=3)
SMALL = {"prototypes": 16, "patch_prototypes": 16, "head_hidden": 16, "head_bottleneck": 8}
COMMON = {
    *("epochs", "batch_size", "lr", "lr_batch", "lr_rule", "min_lr", "warmup_epochs", "clip"),
    *("weight_decay", "weight_decay_end", "beta1", "beta2", "layer_decay", "patch_embed_lr"),
    *("drop_path", "layer_scale_init"),
}


def hyper_of(spec):
    small = {**SMALL, "local_count": 2, "local_px": 16}
    return {**spec.hyper, **{key: value for key, value in small.items() if key in spec.hyper}}


def teacher_of(name="dinov2"):
    kept = make(name)
    return Teacher(
        config=CONFIG,
        state=dict(kept.kept()),
        heads=dict(kept.heads()),
        hyper=hyper_of(METHODS[name]),
    )


def make(name, seed=0, **shape):
    spec = METHODS[name]
    config = {**CONFIG, **shape}
    request = MethodRequest(
        config=config,
        state=random_state(VitConfig(**config), seed),
        hyper=hyper_of(spec),
        seed=seed,
        image_px=config["grid"] * config["patch_px"],
        teacher=teacher_of() if spec.needs_teacher else None,
    )
    return spec.build(request).train()


def numbers(name):
    made = METHODS[name].schedules(hyper_of(METHODS[name]), LENGTH)
    return {key: float(values[0]) for key, values in made.items()}


def forward(name, method, seed=0):
    generator = torch.Generator().manual_seed(seed)
    views = {
        crop.name: torch.randn(3 * crop.count, 5, crop.size_px, crop.size_px, generator=generator)
        for crop in METHODS[name].crops(hyper_of(METHODS[name]), 32, 8)
    }
    draws = Draws(seed=seed, step=0, total=3, rows=range(3))
    drawn = method.draw(draws, {key: x.shape[-1] for key, x in views.items()})
    return method(views, drawn, numbers(name))


def test_reading_the_catalog_imports_no_torch():
    code = "import sys, featbank.methods as m; list(m.METHODS); "
    check = "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code + check], check=False).returncode == 0


@EACH
def test_it_has_the_hyper_parameters_that_the_loop_reads(name):
    assert set(METHODS[name].hyper) >= COMMON


@EACH
def test_its_record_says_where_it_is_from(name):
    assert METHODS[name].source
    assert METHODS[name].summary


@EACH
def test_its_crops_are_whole_patches_and_the_image_size_at_most(name):
    sizes = [crop.size_px for crop in METHODS[name].crops(hyper_of(METHODS[name]), 32, 8)]
    assert max(sizes) == 32
    assert all(size % 8 == 0 for size in sizes)


@EACH
def test_it_has_a_number_for_each_step(name):
    made = METHODS[name].schedules(hyper_of(METHODS[name]), LENGTH)
    assert all(len(values) == LENGTH.steps for values in made.values())


@EACH
def test_its_loss_is_a_finite_scalar_with_parts_and_features(name):
    out = forward(name, make(name))
    assert isinstance(out, StepOutput)
    assert out.loss.shape == ()
    assert torch.isfinite(out.loss)
    assert out.features.shape[1] == CONFIG["dim"]
    assert not out.features.requires_grad
    assert all(not torch.as_tensor(value).requires_grad for value in out.parts.values())


@EACH
def test_each_parameter_that_trains_has_a_gradient(name):
    method = make(name, registers=2, layer_scale=True)
    forward(name, method).loss.backward()
    lacking = [k for k, v in method.named_parameters() if v.requires_grad and v.grad is None]
    # What waits for hidden patches is unused where a step hides none.
    assert [key for key in lacking if not key.endswith("mask_token")] == []


@EACH
def test_what_it_keeps_is_a_whole_encoder(name):
    VisionTransformer(VitConfig(**CONFIG)).load_state_dict(dict(make(name).kept()))


@EACH
def test_its_heads_are_tensors_of_names_that_no_encoder_has(name):
    method = make(name)
    assert not set(method.heads()) & set(method.kept())


@EACH
def test_its_state_dict_is_its_whole_state(name):
    first, second = make(name), make(name, seed=4)
    second.load_state_dict(first.state_dict())
    torch.manual_seed(0)
    expected = forward(name, first).loss
    torch.manual_seed(0)
    assert torch.equal(forward(name, second).loss, expected)


@EACH
def test_mixed_precision_gives_about_the_same_loss_in_float32(name):
    method = make(name).eval()
    expected = forward(name, method).loss
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = forward(name, method).loss
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected, rtol=0.05, atol=0.05)
