import subprocess
import sys

import numpy as np
import pytest
import torch
import zarr
from fake_chips import write_chips
from fake_trees import same_trees

from featbank.bank import runlog
from featbank.bank.bank import Bank
from featbank.errors import LockedError, RefusedError, StoreError
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import EmbedRun, embed_dataset
from featbank.store.reader import Store
from featbank.store.writer import StoreWriter


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


def options(imagery, bank, **more):
    settings = {"model": "imagestats", "shard_rows": 16, "batch_size": 7, "workers": 0}
    return EmbedOptions(dataset=str(imagery), bank=bank, **{**settings, **more})


def embed(imagery, bank, **more):
    return embed_dataset(plan_embed(options(imagery, bank, **more)))


def test_features_equal_a_plain_computation(imagery, tmp_path):
    store = Store(embed(imagery, tmp_path, normalise="none").store)
    chip = plan_embed(options(imagery, tmp_path)).imagery.dataset.reader.read(33)["image"]
    flat = chip.reshape(3, -1).astype(float)
    expected = np.concatenate([flat.mean(1), flat.std(1), flat.min(1), flat.max(1)])
    np.testing.assert_allclose(store.features()[33], expected, rtol=1e-5)


def test_processes_give_the_same_bytes_as_none(imagery, tmp_path):
    paths = [embed(imagery, tmp_path / str(w), workers=w).store for w in (0, 2)]
    assert same_trees(*paths)


def test_algorithms_are_deterministic_where_that_is_asked_for_and_only_there(imagery, tmp_path):
    for wanted in (True, False):
        embed(imagery, tmp_path / str(wanted), deterministic=wanted)
        assert torch.are_deterministic_algorithms_enabled() is wanted


def test_torchs_compiler_is_not_loaded(imagery, tmp_path):
    # It takes two seconds of every command.
    words = ["embed", "--model", "imagestats", "--dataset", imagery, "--bank", tmp_path]
    script = "import sys; from featbank.cli.main import group\n"
    script += "group.main(sys.argv[1:], standalone_mode=False)\n"
    script += "print(sorted(m for m in sys.modules if m in ('torch._dynamo', 'torch._inductor')))"
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_cut_run_resumes_to_the_same_bytes(imagery, tmp_path, monkeypatch, after):
    whole = embed(imagery, tmp_path / "whole").store
    write = StoreWriter.write

    def write_until(self, shard, buffers):
        if shard == after:
            raise OSError(28, "No space left on device")
        write(self, shard, buffers)

    with monkeypatch.context() as patched:
        patched.setattr(StoreWriter, "write", write_until)
        with pytest.raises(StoreError, match="No space left"):
            embed(imagery, tmp_path / "cut")
    report = embed(imagery, tmp_path / "cut")
    assert same_trees(report.store, whole)


def test_a_resumed_run_embeds_only_what_is_left(imagery, tmp_path):
    report = embed(imagery, tmp_path)
    writer = StoreWriter(report.store, plan_embed(options(imagery, tmp_path)).layout, 60)
    writer._arrays["commit"][1:2] = np.array([""], dtype=np.dtypes.StringDType())
    assert embed(imagery, tmp_path).embedded == 16


def test_a_finished_store_is_left_alone(imagery, tmp_path):
    embed(imagery, tmp_path)
    again = embed(imagery, tmp_path)
    assert (again.embedded, "already finished" in again.sentence()) == (0, True)


@pytest.mark.parametrize("name", ["sample_id", "mean", "commit"])
def test_a_finished_store_that_lost_a_file_is_not_called_finished(imagery, tmp_path, name):
    store = embed(imagery, tmp_path).store
    lost = next(path for path in sorted((store / name / "c").rglob("*")) if path.is_file())
    lost.unlink()
    with pytest.raises(StoreError, match=f"{lost}: is missing"):
        embed(imagery, tmp_path)


def test_chips_of_several_sizes_share_one_resized_batch(tmp_path):
    from PIL import Image

    imagery = write_chips(tmp_path / "mixed", chips=6)
    Image.open(imagery / "class1" / "02.png").resize((40, 30)).save(imagery / "class1" / "02.png")
    report = embed(imagery, tmp_path, model="vit-tiny", weights="random", normalise="half")
    assert Store(report.store).valid.all()


def test_native_sizes_go_apart_and_keep_their_rows(tmp_path):
    from PIL import Image

    imagery = write_chips(tmp_path / "mixed", chips=6)
    before = Store(embed(imagery, tmp_path / "a", normalise="none").store).features()
    flipped = Image.open(imagery / "class1" / "02.png").resize((48, 48), Image.Resampling.NEAREST)
    flipped.save(imagery / "class1" / "02.png")
    after = Store(embed(imagery, tmp_path / "b", normalise="none").store).features()
    # Doubling each pixel changes no statistic, so only the grouping could move a row.
    np.testing.assert_allclose(after, before, rtol=1e-5)


def test_refused_rows_are_marked_and_named(tmp_path):
    imagery = write_chips(tmp_path / "torn", chips=20)
    (imagery / "class2" / "03.png").write_text("torn")
    store = Store(embed(imagery, tmp_path, max_invalid=0.05).store)
    row = list(store.ids).index("class2/03")
    assert (store.valid.sum(), store.valid[row]) == (59, False)
    assert "starts with b'torn'" in store.refused[row]


def test_too_many_refused_rows_stop_the_run(tmp_path):
    imagery = write_chips(tmp_path / "torn", chips=20)
    for number in range(4):
        (imagery / "class2" / f"{number:02d}.png").write_text("torn")
    match = r"4 of 60 chips are refused .*; expected at most 3 refused chips \(--max-invalid 0.05\)"
    with pytest.raises(RefusedError, match=match):
        embed(imagery, tmp_path, max_invalid=0.05)


def test_features_that_are_not_finite_are_refused(imagery, tmp_path, monkeypatch):
    from featbank.layers.image_statistics import ImageStatistics

    forward = ImageStatistics.forward

    def broken(self, x):
        out = forward(self, x).clone()
        out[2] = float("nan")
        return out

    monkeypatch.setattr(ImageStatistics, "forward", broken)
    steps = []
    plan = plan_embed(options(imagery, tmp_path, batch_size=16, max_invalid=1.0))
    report = embed_dataset(plan, progress=lambda done, n: steps.append((done, n)))
    assert steps[-1] == (60, 60)
    assert set(report.refused.values()) == {"the network gave features that are not finite"}


def test_limit_is_mixed_and_nested(imagery, tmp_path):
    small = Store(embed(imagery, tmp_path, limit=3).store)
    large = Store(embed(imagery, tmp_path, limit=6).store)
    assert set(small.ids) < set(large.ids)
    assert len(set(small.labels())) == 3


def test_the_newest_store_is_the_last_one_named(imagery, tmp_path):
    first = embed(imagery, tmp_path).store
    embed(imagery, tmp_path, store_dtype="float16")
    embed(imagery, tmp_path)
    assert Bank(tmp_path).newest() == first


@pytest.mark.parametrize(
    "more",
    [{"bands": "green,red"}, {"store_dtype": "float16"}, {"shard_rows": 32}, {"limit": 9}],
)
def test_whatever_decides_the_bytes_changes_the_id(imagery, tmp_path, more):
    plans = [plan_embed(options(imagery, tmp_path, **m)) for m in ({}, more)]
    assert plans[0].path != plans[1].path


@pytest.mark.parametrize("more", [{"workers": 1}, {"batch_size": 9}, {"device": "cpu"}])
def test_the_environment_does_not_change_the_id(imagery, tmp_path, more):
    plans = [plan_embed(options(imagery, tmp_path, **m)) for m in ({}, more)]
    assert plans[0].path == plans[1].path


def test_another_place_on_disk_does_not_change_the_id(imagery, tmp_path):
    import shutil

    moved = tmp_path / "elsewhere" / "chips"
    shutil.copytree(imagery, moved)
    plans = [plan_embed(options(place, tmp_path)) for place in (imagery, moved)]
    assert plans[0].path == plans[1].path


def test_random_weights_are_told_in_the_store(imagery, tmp_path):
    report = embed(imagery, tmp_path, model="vit-tiny", weights="random", normalise="half", limit=2)
    assert Store(report.store).attributes["weights"] == "random, untrained (seed 0)"


def test_another_environment_is_told(imagery, tmp_path):
    report = embed(imagery, tmp_path)
    line = runlog.read(report.store)[-1]
    runlog.append(report.store, {**line, "torch": "1.0"})
    writer = StoreWriter(report.store, plan_embed(options(imagery, tmp_path)).layout, 60)
    writer._arrays["commit"][1:2] = np.array([""], dtype=np.dtypes.StringDType())
    told = []
    embed_dataset(plan_embed(options(imagery, tmp_path)), tell=told.append)
    assert any("another environment (torch 1.0 ->" in line for line in told)


def test_the_run_log_keeps_time_and_memory(imagery, tmp_path):
    line = runlog.read(embed(imagery, tmp_path).store)[0]
    assert line["seconds"] > 0
    assert 10**7 < line["peak_bytes"] < 10**12


def test_one_writer_a_store(imagery, tmp_path):
    from featbank.bank.lock import locked

    plan = plan_embed(options(imagery, tmp_path))
    with (
        locked(plan.path, tell=print),
        pytest.raises(LockedError, match="process .* is writing it"),
    ):
        embed_dataset(plan)


def test_a_dead_writer_is_told_and_taken_over(imagery, tmp_path):
    plan = plan_embed(options(imagery, tmp_path))
    lock = plan.path.with_name(f"{plan.path.name}.lock")
    lock.parent.mkdir(parents=True)
    lock.write_text('{"pid": 999999, "host": "gone"}')
    told = []
    embed_dataset(plan, tell=told.append)
    assert told == [
        f"{plan.path.name}: taking over from process 999999 on gone, which ended before it was done"
    ]


def test_tokens_are_stored_before_the_norm(imagery, tmp_path):
    import torch

    from featbank.layers.vit import NORM_EPS

    more = {"model": "vit-tiny", "weights": "random", "normalise": "half", "limit": 3}
    path = embed(imagery, tmp_path, tokens=True, dtype="float32", **more).store
    tokens, weight, bias = (
        torch.from_numpy(zarr.open_array(path / name)[...]).float()
        for name in ("tokens", "token_norm_weight", "token_norm_bias")
    )
    normed = torch.nn.functional.layer_norm(tokens, (192,), weight, bias, NORM_EPS)
    mean = normed.mean(dim=(2, 3))[:, 0].numpy()
    np.testing.assert_allclose(mean, Store(path).features("mean"), atol=2e-3)


def test_progress_ends_at_all_rows(imagery, tmp_path):
    steps = []
    embed_dataset(
        plan_embed(options(imagery, tmp_path)), progress=lambda done, n: steps.append((done, n))
    )
    assert steps[-1] == (60, 60)


def test_batches_are_cut_at_fixed_places(imagery, tmp_path):
    plan = plan_embed(options(imagery, tmp_path))
    from featbank.stages.embed.run import _new_store
    from featbank.store.create import create_store

    create_store(plan.path, _new_store(plan))
    run = EmbedRun(plan, StoreWriter(plan.path, plan.layout, plan.n), lambda *_: None, print)
    assert [len(cut.rows) for cut in run._cuts()] == [7, 7, 2] * 3 + [7, 5]
