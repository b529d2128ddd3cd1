"""Small requests and batches for the methods with a teacher."""

import torch

from featbank.layers.vit import random_state
from featbank.layers.vit_config import VitConfig
from featbank.methods import METHODS
from featbank.methods.method import Length, MethodRequest, Teacher
from featbank.methods.parts.draws import Draws

CONFIG = {
    "dim": 24,
    "depth": 2,
    "heads": 2,
    "patch_px": 4,
    "channels": 3,
    "grid": 4,
    "mlp_dim": 48,
}
SMALL = {
    "prototypes": 20,
    "patch_prototypes": 20,
    "head_hidden": 16,
    "head_bottleneck": 8,
    "local_count": 2,
}
NUMBERS = {"momentum": 0.9, "teacher_temperature": 0.05, "last_layer_frozen": 0.0}
LENGTH = Length(steps=40, steps_per_epoch=4, batch_size=8)


def tiny_request(name, *, shape=None, heads=None, teacher=None, seed=0, **hyper):
    """A request for a network of two narrow blocks, whose weights are far from symmetric."""
    config, is_warm = {**CONFIG, **(shape or {})}, hyper.pop("is_warm", False)
    state = random_state(VitConfig(**config), seed)
    generator = torch.Generator().manual_seed(seed + 100)
    state = {k: v + 0.1 * torch.randn(v.shape, generator=generator) for k, v in state.items()}
    known = METHODS[name].hyper
    chosen = {**known, **{k: v for k, v in SMALL.items() if k in known}, **hyper}
    return MethodRequest(
        config=config,
        state=state,
        hyper=chosen,
        seed=seed,
        image_px=config["grid"] * config["patch_px"],
        heads=heads or {},
        is_warm=is_warm,
        teacher=teacher,
    )


def tiny_teacher(name="dinov2", **hyper):
    """A wider network than the student's, trained for a step, as its checkpoint keeps it."""
    shape = {"dim": 36, "depth": 3, "heads": 3, "registers": 2}
    method = tiny_method(name, shape=shape, seed=5, prototypes=14, head_hidden=10, **hyper)
    tiny_step(method, tiny_optimiser(method), tiny_views())
    return Teacher(
        config={**CONFIG, **shape},
        state=dict(method.kept()),
        heads=dict(method.heads()),
        hyper=dict(METHODS[name].hyper),
    )


def tiny_method(name, **options):
    """A method in training."""
    return METHODS[name].build(tiny_request(name, **options)).train()


def tiny_views(chips=3, *, channels=3, wide_px=16, narrow_px=8, locals_=2, seed=0):
    """Noise in place of crops, crop-major."""
    generator = torch.Generator().manual_seed(seed)
    views = {"global": torch.randn(2 * chips, channels, wide_px, wide_px, generator=generator)}
    if locals_:
        shape = (locals_ * chips, channels, narrow_px, narrow_px)
        views["local"] = torch.randn(shape, generator=generator)
    return views


def tiny_draws(chips=3, step=0):
    """Draws of a step in one process."""
    return Draws(seed=0, step=step, total=chips, rows=range(chips))


def tiny_forward(method, views, draws=None, numbers=NUMBERS):
    """What a method gives of views, with what it draws for them."""
    draws = draws or tiny_draws()
    drawn = method.draw(draws, {name: x.shape[-1] for name, x in views.items()})
    return method(views, drawn, numbers)


def tiny_step(method, optimiser, views, numbers=NUMBERS, step=0):
    """One whole training step; gives its output."""
    optimiser.zero_grad()
    chips = len(views["global"]) // 2
    output = tiny_forward(method, views, tiny_draws(chips, step), numbers)
    output.loss.backward()
    method.before_update(numbers)
    optimiser.step()
    method.after_update(numbers)
    return output


def tiny_optimiser(method, lr=1e-3):
    """AdamW over whatever is trained."""
    trained = [value for value in method.parameters() if value.requires_grad]
    return torch.optim.AdamW(trained, lr=lr, weight_decay=0.04)
