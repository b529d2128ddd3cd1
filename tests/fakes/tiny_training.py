"""A small true method and plans of short runs: the double of whatever the loop trains."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch
from fake_dataset import radar
from torch import nn

from featbank.backbones.building.vit_build import initial_vit
from featbank.inputs.contract import Contract
from featbank.inputs.normalise import Statistics
from featbank.inputs.preprocess import InputRecipe
from featbank.layers.vit import VisionTransformer
from featbank.layers.vit_config import VitConfig
from featbank.methods.method import (
    Length,
    Method,
    MethodRequest,
    MethodSpec,
    StepOutput,
)
from featbank.methods.views.crop_recipe import CropRecipe
from featbank.sources.fitting import Imagery, ImageryLook
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.plan import PretrainPlan

CONFIG = {
    "dim": 16,
    "depth": 2,
    "heads": 2,
    "patch_px": 8,
    "channels": 2,
    "grid": 2,
    "mlp_dim": 32,
}
HYPER = {
    "epochs": 2,
    "batch_size": 8,
    "lr": 1e-2,
    "lr_batch": 8,
    "lr_rule": "linear",
    "min_lr": 1e-4,
    "warmup_epochs": 0.5,
    "weight_decay": 0.04,
    "weight_decay_end": 0.4,
    "beta1": 0.9,
    "beta2": 0.95,
    "clip": 3.0,
    "layer_decay": 0.9,
    "patch_embed_lr": 0.2,
    "drop_path": 0.25,
    "layer_scale_init": 1.0,
    "noise": 0.5,
}


class Denoising(Method, nn.Module):
    """Predicts the pixels of each patch from a noisy view; a slow copy of the encoder is kept."""

    def __init__(self, request):
        nn.Module.__init__(self)
        self.noise = request.hyper["noise"]
        config = VitConfig(**request.config)
        self.encoder = VisionTransformer(config)
        self.encoder.load_state_dict(dict(request.state))
        for block in self.encoder.blocks:
            block.drop_path = request.hyper["drop_path"]
        self.slow = copy.deepcopy(self.encoder).requires_grad_(False)
        self.head = nn.Linear(config.dim, config.channels * config.patch_px**2)
        generator = torch.Generator().manual_seed(request.seed)
        nn.init.normal_(self.head.weight, std=0.02, generator=generator)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def draw(self, draws, sides):
        shape = (self.encoder.config.channels, sides["global"], sides["global"])
        return {"noise": torch.cat([draws.normal(*shape) for _ in range(2)])}

    def forward(self, views, drawn, numbers):
        x, noise = views["global"], drawn["noise"]
        tokens = self.encoder.encode(x + self.noise * noise)[:, 1:]
        patch = self.encoder.config.patch_px
        wanted = nn.functional.unfold(x, patch, stride=patch).transpose(1, 2)
        loss = (self.head(tokens) - wanted).square().mean()
        return StepOutput(
            loss=loss, parts={"pixels": loss.detach()}, features=tokens.detach().mean(dim=1)
        )

    def after_update(self, numbers):
        self.updates += 1
        with torch.no_grad():
            for slow, quick in zip(self.slow.parameters(), self.encoder.parameters(), strict=True):
                slow.lerp_(quick, 1 - numbers["momentum"])

    def kept(self):
        return self.slow.state_dict()

    def heads(self):
        return self.head.state_dict()


class Matching(Denoising):
    """Two views are to give the same features, and nothing keeps these apart: it collapses."""

    def forward(self, views, drawn, numbers):
        tokens = self.encoder.encode(views["global"])[:, 1:].mean(dim=1)
        first, second = tokens.chunk(2)
        loss = (first - second).square().sum(dim=1).mean() + 0 * self.head.weight.sum()
        loss = loss + 0 * self.head.bias.sum()
        return StepOutput(loss=loss, parts={}, features=tokens.detach())


def spec(build=Denoising, **changes):
    def schedules(hyper, length):
        return {"momentum": np.linspace(0.9, 1.0, length.steps)}

    def crops(hyper, image_px, patch_px):
        return (CropRecipe(name="global", count=2, size_px=image_px),)

    whole = MethodSpec(
        name="denoising",
        summary="a method of the tests",
        source="none",
        hyper=HYPER,
        crops=crops,
        schedules=schedules,
        build=build,
    )
    return replace(whole, **changes)


def tiny_plan(folder, *, steps=12, method=None, dataset=None, batch_size=8, hyper=None, **options):
    """A plan of a short run on radar chips of 24 px, seen as two views of 16 px."""
    method = method or spec()
    dataset = dataset or radar(n=37)
    hyper = {**HYPER, **(hyper or {})}
    # Such runs end before the clock would have one saved.
    options = {"save_every": 1, **options}
    contract = Contract(
        grids=dataset.grids,
        units={band.name: band.unit for band in dataset.bands},
        allows_constant=dataset.allows_constant,
    )
    names = tuple(band.name for band in dataset.bands)
    statistics = Statistics(
        method="dataset", mean=(-8.5, -15.5), std=(2.1, 2.1), source="made for tests"
    )
    seed = options.get("seed", 0)
    said = PretrainOptions(
        method=method.name, model="vit-mini", dataset=dataset.name, device="cpu", **options
    )
    per_epoch = len(dataset.samples) // batch_size
    return PretrainPlan(
        options=said,
        method=method,
        hyper=hyper,
        request=MethodRequest(
            config=CONFIG,
            state=initial_vit(CONFIG, seed),
            hyper=hyper,
            seed=seed,
            image_px=16,
        ),
        imagery=Imagery(
            dataset=dataset,
            contract=contract,
            scheme="official",
            workers=options.get("workers") or 0,
        ),
        rows=np.arange(len(dataset.samples)),
        look=ImageryLook(rows=[0], chip_bytes=2 * 24 * 24 * 4),
        inputs=InputRecipe(
            grids=dataset.grids,
            bands=names,
            image_size=None,
            resize="bicubic",
            statistics=statistics,
        ),
        channels=dataset.bands,
        crops=method.crops(hyper, 16, 8),
        length=Length(steps=steps, steps_per_epoch=per_epoch, batch_size=batch_size),
        compute_dtype="float32",
        recipe={"method": method.name, "steps": steps, "hyper": hyper, "seed": seed},
        path=folder / "denoising-vit-mini-1a2b3c4d",
        origin=f"random (seed {seed})",
        seen={dataset.name: sorted(dataset.samples.ids.tolist())},
    )


def final_weights(plan):
    """The encoder and heads that a checkpoint keeps."""
    from safetensors.numpy import load_file

    arrays = load_file(plan.path / "encoder.safetensors")
    return {**arrays, **load_file(plan.path / "heads.safetensors")}
