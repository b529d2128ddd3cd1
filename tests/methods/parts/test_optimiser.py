import math

import pytest
import torch
from tiny_training import CONFIG, HYPER, Denoising

from featbank.backbones.building.vit_build import initial_vit
from featbank.methods.method import MethodRequest
from featbank.methods.parts.optimiser import adamw, is_decayed, lr_scale, set_numbers


@pytest.fixture
def method():
    config = {**CONFIG, "registers": 1, "layer_scale": True}
    state = initial_vit(config, 0)
    return Denoising(MethodRequest(config=config, state=state, hyper=HYPER, seed=0, image_px=16))


@pytest.mark.parametrize(
    ("name", "power", "factor"),
    [
        ("head.weight", 0, 1.0),
        ("encoder.norm.weight", 0, 1.0),
        ("encoder.blocks.11.mlp.fc1.weight", 1, 1.0),
        ("encoder.blocks.0.attn.qkv.bias", 12, 1.0),
        ("encoder.pos_embed", 13, 1.0),
        ("encoder.cls_token", 13, 1.0),
        ("encoder.register_tokens", 13, 1.0),
        ("encoder.patch_embed.proj.weight", 13, 0.2),
    ],
)
def test_learning_rates_fall_from_layer_to_layer(name, power, factor):
    assert lr_scale(name, 12, 0.9, 0.2) == pytest.approx(factor * 0.9**power)


def test_biases_norms_scales_positions_and_tokens_are_not_decayed(method):
    decayed = {n for n, p in method.encoder.named_parameters() if is_decayed(n, p)}
    layers = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    expected = {f"blocks.{i}.{layer}.weight" for i in range(2) for layer in layers}
    assert decayed == expected | {"patch_embed.proj.weight"}


def test_every_trained_parameter_is_in_one_group(method):
    grouped = [id(p) for g in adamw(method, HYPER).param_groups for p in g["params"]]
    assert sorted(grouped) == sorted(id(p) for p in method.parameters() if p.requires_grad)


def slow_adamw(value, gradients, *, lr, decay, betas):
    """Loshchilov and Hutter's algorithm 2, one number at a time."""
    first = second = 0.0
    for step, gradient in enumerate(gradients, 1):
        first = betas[0] * first + (1 - betas[0]) * gradient
        second = betas[1] * second + (1 - betas[1]) * gradient**2
        value -= lr * decay * value
        corrected = second / (1 - betas[1] ** step)
        value -= lr * first / (1 - betas[0] ** step) / (math.sqrt(corrected) + 1e-8)
    return value


@pytest.mark.parametrize(
    ("name", "scale", "decay"),
    [("encoder.patch_embed.proj.weight", 0.2 * 0.9**3, 0.3), ("encoder.norm.bias", 1.0, 0.0)],
)
def test_a_parameter_moves_as_its_group_says(method, name, scale, decay):
    optimiser, parameter = adamw(method, HYPER), method.get_parameter(name)
    flat = parameter.data.view(-1)
    start = float(flat[0])
    for gradient in (0.5, -0.2, 0.1):
        set_numbers(optimiser, lr=0.01, weight_decay=0.3)
        parameter.grad = torch.full_like(parameter, gradient)
        optimiser.step()
    expected = slow_adamw(start, (0.5, -0.2, 0.1), lr=0.01 * scale, decay=decay, betas=(0.9, 0.95))
    assert float(flat[0]) == pytest.approx(expected, abs=1e-7)
