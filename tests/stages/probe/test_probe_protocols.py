"""Named protocols on a store of several blocks."""

import json

import numpy as np
import pytest
from layered_store import make_layered_store

from featbank.errors import ProbeError, StoreError, UsageError
from featbank.probes.protocols import PROTOCOLS
from featbank.stages.probe.features import probe_features
from featbank.stages.probe.probe_run import ProbeRun
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store

RAW = ("cls", "mean", "mean_raw")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_layered_store(tmp_path_factory.mktemp("s") / "vit.zarr")


@pytest.fixture
def run(path, tmp_path):
    def probe(**options):
        options = {"store": path, "bank": tmp_path / "bank", "resamples": 20} | options
        return probe_store(ProbeOptions(**options))

    return probe


def read(path, name, **options):
    run = ProbeRun(PROTOCOLS[name], Store(path), ProbeOptions(store=path, **options))
    return run, run.read()


def test_the_protocol_stands_beside_every_number(run):
    report = run(protocol="torchgeo-bench-linear", params={"C": 1.0})
    assert {row.protocol for row in report.results} == {"torchgeo-bench-linear"}


def test_a_protocol_and_another_probe_clash(run):
    with pytest.raises(UsageError, match="--clf mlp: protocol 'dinov2-knn' is of probe knn"):
        run(protocol="dinov2-knn", clf="mlp")


def test_a_family_is_more_than_one_protocol(run):
    with pytest.raises(UsageError, match="it stands for 3 protocols"):
        run(protocol="htcv-2024")


def test_a_probe_picks_its_member_of_a_family(run):
    report = run(protocol="htcv-2024", clf="linear", seeds=1, params={"min_steps": 5})
    assert report.results[0].protocol == "htcv-2024-linear"


def test_neither_probe_nor_protocol_is_a_usage_error(run):
    with pytest.raises(UsageError, match="neither is given"):
        run()


def test_a_protocol_that_names_its_features_takes_no_others(run):
    with pytest.raises(UsageError, match="--features: protocol 'dinov2-knn' names the features"):
        run(protocol="dinov2-knn", features="mean")


def test_the_whole_of_train_is_fitted_on_where_the_protocol_says_so(path):
    _, data = read(path, "dinov2-logreg")
    assert len(data.rows["final"]) == len(data.rows["train"]) + len(data.rows["val"])


def test_a_tenth_of_train_is_held_out_for_logistic_regression(path):
    split = Store(path).split()
    _, data = read(path, "dinov2-logreg")
    assert len(data.rows["val"]) == (split == "train").sum() // 10
    assert (split[data.rows["val"]] == "train").all()


def test_the_held_out_tenth_is_the_same_for_every_seed(path):
    rows = [read(path, "dinov2-logreg", seed=seed)[1].rows["val"] for seed in (0, 7)]
    np.testing.assert_array_equal(*rows)


def test_validation_is_not_fitted_on_by_a_k_nn_of_the_field(path):
    _, data = read(path, "lightly-knn")
    assert (Store(path).split()[data.rows["final"]] == "train").all()


def test_a_views_columns_are_its_features(path):
    found = probe_features(Store(path), PROTOCOLS["dinov2-linear-frozen"], ProbeOptions())
    ((start, stop), (last_start, last_stop)) = found.views["1 block + mean"]
    store = Store(path)
    np.testing.assert_array_equal(found.values[:, start:stop], store.features("cls", layer=11))
    np.testing.assert_array_equal(
        found.values[:, last_start:last_stop], store.features("mean", layer=11)
    )


def test_blocks_with_a_gap_are_refused(tmp_path):
    path = make_layered_store(tmp_path / "gap.zarr", layers=(2, 5, 8, 11))
    with pytest.raises(StoreError, match=r"its layers are 2, 5, 8, 11; expected the last 4"):
        read(path, "dinov2-linear-frozen")


def test_any_four_layers_do_for_pangaea(tmp_path):
    path = make_layered_store(tmp_path / "gap.zarr", layers=(2, 5, 8, 11), names=RAW)
    run, _ = read(path, "pangaea-knn", params={"k": 5})
    assert run.feature == "mean_raw@2+mean_raw@5+mean_raw@8+mean@11"


def test_pangaea_reads_the_last_block_normed_and_the_others_raw(tmp_path):
    path = make_layered_store(tmp_path / "raw.zarr", names=RAW)
    store = Store(path)
    found = probe_features(store, PROTOCOLS["pangaea-knn"], ProbeOptions())
    raw = [store.features("mean_raw", layer=layer) for layer in (8, 9, 10)]
    np.testing.assert_array_equal(found.values, np.hstack([*raw, store.features("mean")]))


def test_without_raw_means_the_command_that_makes_them_is_named(path):
    command = "featbank embed --model vit --dataset made --limit 80 --layers 8,9,10,11"
    with pytest.raises(StoreError, match=f"Make such .* '{command} --features mean_raw'"):
        read(path, "pangaea-knn")


def test_too_few_layers_are_named_with_the_way_out(tmp_path):
    path = make_layered_store(tmp_path / "one.zarr", layers=(11,), names=RAW)
    with pytest.raises(StoreError, match="Embed it with --layers -4,-3,-2,-1"):
        read(path, "pangaea-knn")


def test_a_backbone_without_cls_is_read_by_its_default(tmp_path):
    path = make_layered_store(
        tmp_path / "mean.zarr", layers=(0,), names=("mean",), default_feature="mean"
    )
    run, _ = read(path, "dinov2-knn")
    assert (run.feature, "no CLS token" in "; ".join(run.notes)) == ("mean", True)


def test_what_a_protocol_settles_is_told(path):
    run, _ = read(path, "lightly-knn")
    assert "weights are divided by their sum" in run.notes[0]


def test_what_a_protocol_cannot_meet_is_told_beside_its_numbers(tmp_path):
    path = make_layered_store(tmp_path / "raw.zarr", names=RAW)
    run, _ = read(path, "pangaea-knn", params={"k": 5})
    assert "its float16 sums of 200 weights" in "; ".join(run.notes)


@pytest.fixture
def knn(run):
    return run(protocol="dinov2-knn").results


def test_every_k_is_told(knn):
    told = {json.loads(r.params)["k"] for r in knn if r.metric == "accuracy" and r.split == "test"}
    assert told == {10, 20, 100}


def test_a_k_beyond_the_training_set_is_left_out_and_said(knn):
    assert "k 200 is left out: there are 120 training samples" in knn[0].note


def test_more_neighbours_than_samples_are_refused(run):
    with pytest.raises(ProbeError, match="k: it is 200 and the training set has n_samples = 120"):
        run(protocol="lightly-knn")


def test_one_class_in_train_is_refused(tmp_path):
    path = make_layered_store(tmp_path / "one.zarr", codes=np.zeros(240, int))
    with pytest.raises(ProbeError, match="its training samples hold one class, 'forest'"):
        read(path, "featbank-knn")


def test_features_that_are_not_finite_are_refused_by_sample(tmp_path):
    features = np.ones((240, 4, 6))
    features[31, 3, 2] = np.nan
    path = make_layered_store(tmp_path / "nan.zarr", features=features)
    with pytest.raises(ProbeError, match="features of 1 valid samples .* the first is 'chip-031'"):
        read(path, "featbank-knn")


def test_nothing_is_written_where_a_probe_is_refused(run, tmp_path):
    with pytest.raises(ProbeError):
        run(protocol="lightly-knn")
    assert not (tmp_path / "bank").exists()


def test_a_class_with_one_training_sample_is_fitted(tmp_path):
    codes = np.arange(240) % 2
    codes[0] = 2
    path = make_layered_store(tmp_path / "rare.zarr", codes=codes)
    options = {"store": path, "bank": tmp_path / "bank", "resamples": 20}
    rows = probe_store(ProbeOptions(clf="logistic", **options)).results
    assert "without a test sample" in rows[0].note


def test_a_random_probe_tells_its_spread(run):
    head = run(clf="linear", params={"min_steps": 20, "lr": 0.01}, seeds=3).results[0]
    assert head.seeds == 3
    assert head.seed_sd >= 0


def test_the_spread_is_that_of_the_probe_by_other_seeds(run):
    params = {"min_steps": 3, "epochs": 1, "batch_size": 8, "lr": 0.1}
    options = {"clf": "linear", "params": params}
    alone = [run(**options, seed=seed, seeds=1).results[0].value for seed in (0, 1, 2)]
    head = run(**options, seeds=3).results[0]
    assert head.value == alone[0]
    assert head.seed_sd == pytest.approx(np.std(alone, ddof=1), abs=0.02)


def test_a_probe_that_draws_nothing_has_no_spread(run):
    assert run(clf="knn").results[0].seed_sd is None


def test_a_result_in_the_bank_is_not_fitted_again(run):
    first, again = run(clf="knn"), run(clf="knn")
    assert (first.is_new, again.is_new) == (True, False)


def test_a_result_found_is_the_one_that_was_written(run):
    first, found = run(clf="knn", confusion=True), run(clf="knn", confusion=True)
    assert found.results == first.results
    np.testing.assert_array_equal(found.confusion, first.confusion)


def test_a_result_is_fitted_again_where_that_is_asked(run):
    run(clf="knn")
    assert run(clf="knn", again=True).is_new
