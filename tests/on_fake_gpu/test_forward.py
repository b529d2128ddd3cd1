"""Whole batches on the device: the CPU's features, one copy in a grid, nothing that waits."""

import numpy as np
import pytest
import torch
from fake_gpu.tracing import traced

from featbank.backbones import BACKBONES
from featbank.image import Grid
from featbank.inputs.normalise import Statistics
from featbank.inputs.preprocess import InputRecipe
from featbank.inputs.reading import Group, ReadBatch
from featbank.stages.embed import forward as module
from featbank.stages.embed.forward import Forward, ForwardConfig
from featbank.store.schema import FeatureLayout

FINE = Grid(name="10m", bands=("B02", "B03"), dtype="uint16", size_px=None)
COARSE = Grid(name="20m", bands=("B05",), dtype="uint16", size_px=None)
BANDS = ("B05", "B02", "B03")
CONFIG = {**BACKBONES["vit-tiny"].config, "depth": 2}


def recipe(image_size=32, fill=(1.0, 2.0, 3.0)):
    statistics = Statistics(method="dataset", mean=(9.0, 5.0, 7.0), std=(3.0, 2.0, 4.0), source="")
    return InputRecipe(grids=(FINE, COARSE), bands=BANDS, image_size=image_size, resize="bicubic",
                       statistics=statistics, fill=fill)  # fmt: skip


def group(rows, side, *, missing=False, seed=0):
    rng = np.random.default_rng(seed)
    grids = {
        "10m": rng.integers(0, 20, (len(rows), 2, side, side)).astype(np.uint16),
        "20m": rng.integers(0, 20, (len(rows), 1, side // 2, side // 2)).astype(np.uint16),
    }
    masks = {"10m": rng.uniform(size=(len(rows), 2, side, side)) < 0.3} if missing else {}
    return Group(np.array(rows), grids, masks)


BATCHES = {
    "one size": ReadBatch([group([0, 1, 2, 3], 24)]),
    "two sizes": ReadBatch([group([0, 2], 24), group([1, 3], 40, seed=1)]),
    "missing pixels": ReadBatch([group([0, 1, 2, 3], 24, missing=True)]),
    "some miss": ReadBatch([group([0, 2], 24), group([1, 3], 40, missing=True)]),
}


def forward(device, *, image_size=32, dtype="float32", **more):
    spec = BACKBONES["vit-tiny"]
    encoder = spec.build(CONFIG, spec.initial(CONFIG, 0))
    layout = FeatureLayout(names=("cls", "mean"), dim=192, layers=(1,), shard_rows=256)
    config = ForwardConfig(inputs=recipe(image_size), layout=layout, device=torch.device(device),
                           compute_dtype=dtype, **more)  # fmt: skip
    return Forward(encoder, config)


def features(pendings):
    parts = [(pending.rows, pending.result()) for pending in pendings]
    rows = np.concatenate([rows for rows, _ in parts])
    order = np.argsort(rows)
    names = parts[0][1]
    return {n: np.concatenate([found[n] for _, found in parts])[order] for n in names}


@pytest.mark.parametrize("name", BATCHES)
def test_features_are_those_of_the_cpu(name):
    expected = features(forward("cpu").submit(BATCHES[name]))
    found = features(forward("cuda").submit(BATCHES[name]))
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_copies_its_planes_and_features_and_waits_at_the_result_alone(name):
    on_device, batch = forward("cuda", dtype="bfloat16"), BATCHES[name]
    features(on_device.submit(batch))
    with traced() as trace:
        pendings = on_device.submit(batch)
        assert trace.waits == []
        features(pendings)
    planes = sum(len(each.planes) for each in batch.groups)
    merging = len(batch.groups) > 1
    assert len(trace.copies_in) == planes + merging
    assert len(trace.copies_out) == 2
    assert trace.blocking == []
    assert trace.waits == ["Event.synchronize"]
    assert torch.float64 not in trace.dtypes


def test_integers_cross_the_bus_as_they_are():
    with traced() as trace:
        forward("cuda").submit(BATCHES["one size"])
    assert {copy.dtype for copy in trace.copies_in[-2:]} == {torch.uint16}


def test_copies_run_beside_the_kernels_each_way_on_a_stream_of_its_own():
    on_device = forward("cuda")
    with traced() as trace:
        on_device.submit(BATCHES["two sizes"])
    ((way_in,), (way_out,)) = (
        {copy.stream for copy in copies} for copies in (trace.copies_in, trace.copies_out)
    )
    assert len({way_in, way_out, "default"}) == 3
    # Kernels wait for what they read, copies out for what kernels write; memory stays till then.
    assert trace.orders == [("default", way_in)] * 3 + [(way_out, "default")]
    assert trace.recorded == ["default"] * 5 + [way_out] * 2


def test_features_are_there_once_the_event_after_their_copies_has_passed():
    on_device = forward("cuda")
    with traced() as trace:
        on_device.submit(BATCHES["two sizes"])
    (way_out,) = {copy.stream for copy in trace.copies_out}
    assert [m.copies_out for m in trace.marks if m.stream == way_out] == [len(trace.copies_out)]


def test_the_network_runs_in_float32_that_is_no_tf32(monkeypatch):
    seen, real = [], module.encode

    def encode(*given):
        seen.append(precision())
        return real(*given)

    monkeypatch.setattr(module, "encode", encode)
    forward("cuda").submit(BATCHES["one size"])
    assert seen == ["ieee"]
    assert precision() != "ieee"


def precision():
    return torch.backends.cudnn.conv.fp32_precision
