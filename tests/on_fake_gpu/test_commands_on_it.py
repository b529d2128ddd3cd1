"""Embedding, attention and predictions on the device: the CPU's, and what they make the host do."""

import numpy as np
import pytest
import torch
from fake_chips import write_chips
from fake_gpu import cuda
from fake_gpu.tracing import traced
from predicting import save, says

from featbank.bank.attention_maps import read_attention
from featbank.bank.bank import bank_of
from featbank.errors import UsageError
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.attend import run as attention
from featbank.stages.attend.run import AttendOptions, attend
from featbank.stages.embed.forward import Forward
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.rehearse import rehearse
from featbank.stages.embed.run import embed_dataset
from featbank.store.reader import Store

VIT = {"weights": "random", "normalise": "half", "image_size": 32, "workers": 0, "dtype": "float32"}


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=10)


def embed(imagery, bank, device, **more):
    options = EmbedOptions(dataset=str(imagery), bank=bank, device=device,
                           **{"model": "vit-tiny", **VIT, **more})  # fmt: skip
    return embed_dataset(plan_embed(options))


@pytest.fixture(scope="module")
def stores(imagery, tmp_path_factory):
    root = tmp_path_factory.mktemp("banks")
    return {place: embed(imagery, root / place, place).store for place in ("cuda", "cpu")}


def test_features_and_id_are_those_of_the_cpu(stores):
    found, expected = (Store(stores[place]).features() for place in ("cuda", "cpu"))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert stores["cuda"].name == stores["cpu"].name


@pytest.mark.parametrize("model", ["rcf", "imagestats"])
def test_fitted_networks_and_statistics_are_those_of_the_cpu(model, imagery, tmp_path):
    found, expected = (
        Store(embed(imagery, tmp_path / place, place, model=model, image_size=None, weights=None,
                    normalise=None).store).features()
        for place in ("cuda", "cpu")
    )  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_each_batch_is_waited_for_once_and_blocks_nothing(imagery, tmp_path):
    traces = []
    for size in (30, 5):
        with traced() as trace:
            embed(imagery, tmp_path / str(size), "cuda", batch_size=size)
        traces.append(trace)
    few, many = traces
    assert (few.waits, many.waits) == (["Event.synchronize"], ["Event.synchronize"] * 6)
    # The network alone, once.
    assert len(few.blocking) == len(many.blocking)
    assert len(many.copies_in) - len(few.copies_in) == 5


def test_readers_share_memory_that_the_device_copies_from_as_it_lies(
    imagery, tmp_path, monkeypatch
):
    pinned, real, seen = [], torch.Tensor.pin_memory, []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pinned.append(1) or real(self))
    submit = Forward.submit
    monkeypatch.setattr(
        Forward, "submit", lambda *args: seen.append(len(cuda.RUNTIME.locked)) or submit(*args)
    )
    waits_before, unlock = [], cuda.RUNTIME.cudaHostUnregister
    with traced() as trace:
        monkeypatch.setattr(
            cuda.RUNTIME,
            "cudaHostUnregister",
            lambda address: waits_before.append(trace.waits[-1]) or unlock(address),
        )
        embed(imagery, tmp_path, "cuda", batch_size=10, workers=2)
    assert set(seen) == {2}
    assert pinned == []
    assert cuda.RUNTIME.locked == {}
    # Copies may be on their way from it.
    assert set(waits_before) == {"torch.cuda.synchronize"}


def test_memory_that_cannot_be_locked_is_copied_first(imagery, tmp_path, monkeypatch, stores):
    monkeypatch.setattr(cuda.RUNTIME, "refuses", True)
    found = embed(imagery, tmp_path, "cuda", batch_size=10, workers=2).store
    np.testing.assert_allclose(
        Store(found).features(), Store(stores["cpu"]).features(), rtol=1e-4, atol=1e-4
    )


def test_a_rehearsal_runs(imagery, tmp_path):
    options = EmbedOptions(model="vit-tiny", dataset=str(imagery), bank=tmp_path, **VIT)
    assert rehearse(plan_embed(options))["seconds"] >= 0


def test_attention_is_that_of_the_cpu(stores):
    kept = {}
    for place, path in stores.items():
        attend(Store(path), AttendOptions(ids=("class0/01", "class2/05"), device=place))
        store = Store(path)
        kept[place] = read_attention(bank_of(path), store.attributes["recipe_id"], 11)
    for name, maps in kept["cpu"].items():
        np.testing.assert_allclose(kept["cuda"][name], maps, rtol=1e-3, atol=1e-4)


def test_attention_is_computed_in_float32_that_is_no_tf32(stores, monkeypatch):
    seen, real = [], attention.attention_of

    def attention_of(*given):
        seen.append(torch.backends.cudnn.conv.fp32_precision)
        return real(*given)

    monkeypatch.setattr(attention, "attention_of", attention_of)
    attend(Store(stores["cuda"]), AttendOptions(ids=("class0/01",), device="cuda"))
    assert seen == ["ieee"]


def test_predictions_are_those_of_the_cpu(stores, imagery, tmp_path):
    bank = stores["cpu"].parents[1]
    report = save(stores["cpu"], bank, clf="knn", device="cuda", params={"k": 5})
    tables = [says(bank, report, imagery, device=place)[1] for place in ("cuda", "cpu")]
    with traced() as trace:
        says(bank, report, stores["cpu"], device="cpu")
    assert trace.n_kernels == 0
    columns = [name for name in tables[0] if name.startswith("p_")]
    assert len(columns) == 3
    np.testing.assert_allclose(*(table[columns] for table in tables), atol=1e-3)


def test_a_machine_told_to_round_float32_is_refused_before_anything_is_written(
    imagery, monkeypatch, tmp_path
):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    with pytest.raises(UsageError, match="^NVIDIA_TF32_OVERRIDE=1: "):
        embed(imagery, tmp_path / "bank", "cuda")
    assert not (tmp_path / "bank").exists()
