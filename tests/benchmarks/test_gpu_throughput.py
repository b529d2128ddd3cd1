"""On a CUDA device: images a second, model FLOP utilisation, and end to end over a bare loop."""

from __future__ import annotations

import time

import pytest
import torch
from PIL import Image

from featbank.backbones import BACKBONES
from featbank.bank import runlog
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("default")]

# Dense bf16 TFLOP/s without sparsity, from NVIDIA's data sheets.
PEAK_TFLOPS = {"H200": 989, "H100": 989, "A100": 312, "L4": 121, "4090": 165}
# End to end over the bare loop.
LEAST_RATIO = 0.9
MODEL, BATCH, CHIPS, SHARD_ROWS = "vit-base", 256, 16_384, 2048


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    import numpy as np

    root = tmp_path_factory.mktemp("gpu") / "chips"
    rng = np.random.default_rng(0)
    for label in range(4):
        (root / f"c{label}").mkdir(parents=True)
        for number in range(CHIPS // 4):
            coarse = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((120, 120), Image.Resampling.BICUBIC)
            picture.save(root / f"c{label}" / f"{number}.jpg")
    return root


def bare_rate():
    spec = BACKBONES[MODEL]
    network = spec.build(spec.config, spec.initial(spec.config, 0)).to(torch.device("cuda"))
    x = torch.randn(BATCH, 3, 224, 224, device="cuda")
    with torch.inference_mode(), torch.autocast("cuda", dtype=torch.bfloat16):
        for _ in range(5):
            network(x, layers=[11])
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(40):
            network(x, layers=[11])
        torch.cuda.synchronize()
    return BATCH * 40 / (time.perf_counter() - start)


def test_end_to_end_keeps_the_device_busy(imagery, tmp_path, capsys):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    bare = bare_rate()
    options = EmbedOptions(
        model=MODEL,
        weights="random",
        normalise="half",
        dataset=str(imagery),
        bank=tmp_path,
        batch_size=BATCH,
        shard_rows=SHARD_ROWS,
        device="cuda",
    )
    report = embed_dataset(plan_embed(options))
    steady = runlog.read(report.store)[1:]
    rate = sum(line["rows"] for line in steady) / sum(line["seconds"] for line in steady)
    name = torch.cuda.get_device_name()
    peak = next((v for key, v in PEAK_TFLOPS.items() if key in name), None)
    gflop = BACKBONES[MODEL].describe(BACKBONES[MODEL].config).gflop
    with capsys.disabled():
        print(
            f"\n{name}: {MODEL}, batch {BATCH}: {rate:.0f} images/s end to end, {bare:.0f} bare, "
        )
        print(f"ratio {rate / bare:.3f}; waited {report.waited_input_s:.1f} s for input")
        if peak:
            mfu = [speed * gflop / 1e3 / peak for speed in (rate, bare)]
            print(f"MFU {mfu[0]:.3f} end to end, {mfu[1]:.3f} bare")
    assert report.embedded == CHIPS
    assert rate / bare >= LEAST_RATIO


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_cuda_features_agree_with_cpu(dtype, imagery, tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    from featbank.store.reader import Store

    features = []
    # bfloat16 is held against float32 on the CPU.
    for device, computed in (("cpu", "float32"), ("cuda", dtype)):
        options = EmbedOptions(
            model="vit-tiny",
            weights="random",
            normalise="half",
            dataset=str(imagery),
            bank=tmp_path / device,
            device=device,
            limit=32,
            dtype=computed,
        )
        features.append(
            torch.from_numpy(Store(embed_dataset(plan_embed(options)).store).features())
        )
    cosine = torch.nn.functional.cosine_similarity(*features)
    assert cosine.min() >= 0.9999
    if dtype == "float32":
        torch.testing.assert_close(features[1], features[0], rtol=1e-4, atol=1e-4)
