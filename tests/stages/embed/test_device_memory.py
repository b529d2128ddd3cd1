"""A device that does not hold a batch: it is halved inside the shard's cuts, or has its line."""

import numpy as np
import pytest
import torch
from fake_chips import write_chips

from featbank.bank import runlog
from featbank.errors import MemoryShortError
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed import forward
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.store.reader import Store

SAID = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 GiB of …"


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


def embed(imagery, bank, tell=lambda _: None, **more):
    settings = {"model": "vit-tiny", "weights": "random", "normalise": "half", "image_size": 32}
    settings |= {"shard_rows": 32, "batch_size": 16, "workers": 0, "dtype": "float32"}
    options = EmbedOptions(dataset=str(imagery), bank=bank, **{**settings, **more})
    return embed_dataset(plan_embed(options), tell=tell)


@pytest.fixture
def sizes(monkeypatch):
    """Sizes of the batches that went through a network which holds no more than 6 chips."""
    seen, real = [], forward.encode

    def encode(encoder, x, *args):
        if len(x) > 6:
            raise torch.OutOfMemoryError(SAID)
        seen.append(len(x))
        return real(encoder, x, *args)

    monkeypatch.setattr(forward, "encode", encode)
    return seen


def test_the_batch_is_halved_inside_the_cuts_of_the_shards_and_that_is_said(
    imagery, tmp_path, sizes
):
    lines = []
    report = embed(imagery, tmp_path / "halved", lines.append)
    assert report.embedded == 60
    # 60 chips are shards of 32 and 28: cuts of 16, 16, 16 and 12, in parts of 4.
    assert sizes == [4] * 15
    line = (
        "the device does not hold {} chips at once: it is given {} from here on, and features may "
        "differ in their last digits from those of a run with --batch-size 16"
    )
    assert lines == [line.format(16, 8), line.format(8, 4)]
    assert [line["batch_size"] for line in runlog.read(report.store)] == [4, 4]


def test_a_library_that_finds_no_memory_halves_the_batch_too(imagery, tmp_path, monkeypatch):
    seen, real = [], forward.encode

    def encode(encoder, x, *args):
        if len(x) > 8:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")
        seen.append(len(x))
        return real(encoder, x, *args)

    monkeypatch.setattr(forward, "encode", encode)
    embed(imagery, tmp_path)
    assert max(seen) == 8


def test_another_error_of_the_device_halves_nothing(imagery, tmp_path, monkeypatch):
    def encode(*_):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(forward, "encode", encode)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        embed(imagery, tmp_path)


def test_features_are_those_of_whole_batches(imagery, tmp_path, sizes, monkeypatch):
    halved = embed(imagery, tmp_path / "halved")
    monkeypatch.undo()
    whole = embed(imagery, tmp_path / "whole")
    found, expected = (Store(report.store).features() for report in (halved, whole))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert halved.store.name == whole.store.name


def test_a_run_that_must_give_the_same_bytes_is_not_halved(imagery, tmp_path, sizes):
    try:
        with pytest.raises(MemoryShortError, match="--batch-size 16: .* Pass --batch-size 8"):
            embed(imagery, tmp_path, deterministic=True)
    finally:
        torch.use_deterministic_algorithms(False)
    assert sizes == []


def test_a_network_that_does_not_hold_one_chip_is_told(imagery, tmp_path, monkeypatch):
    def encode(*_):
        raise torch.OutOfMemoryError(SAID)

    monkeypatch.setattr(forward, "encode", encode)
    with pytest.raises(MemoryShortError, match="does not hold one chip .*--device cpu"):
        embed(imagery, tmp_path)


def test_chips_of_several_sizes_and_missing_pixels_are_halved_alike(sizes):
    from featbank.inputs.reading import Group, parts_of

    rows = np.arange(9)
    masks = {"image": rows.reshape(3, 3, 1, 1)[:, :1] % 2 > 0}
    groups = [
        Group(rows[0::3], {"image": rows[0::3].reshape(3, 1, 1, 1)}, masks),
        Group(rows[1::3], {"image": rows[1::3].reshape(3, 1, 1, 1)}, {}, ("B1",)),
        Group(rows[2::3], {"image": rows[2::3].reshape(3, 1, 1, 1)}),
    ]
    parts = parts_of(groups, 4)
    assert [[group.rows.tolist() for group in part] for part in parts] == [
        [[0, 3], [1], [2]],
        [[6], [4, 7], [5]],
        [[8]],
    ]
    assert [len(part[0].missing) for part in parts] == [1, 1, 0]
    assert all((g.grids["image"].ravel() == g.rows).all() for part in parts for g in part)
    assert parts[1][1].absent == ("B1",)
    assert parts_of(groups, 9) == [groups]


@pytest.mark.parametrize(
    ("has_gpu", "asked", "expected"), [(0, None, 64), (1, None, 256), (1, 9, 9)]
)
def test_a_gpu_is_given_more_chips_at_once_where_nobody_says(
    has_gpu, asked, expected, tmp_path, monkeypatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: bool(has_gpu))
    options = EmbedOptions(
        model="imagestats", dataset="synthetic-rgb", chips=8, bank=tmp_path, batch_size=asked
    )
    assert plan_embed(options, is_rehearsal=True).batch_size == expected
