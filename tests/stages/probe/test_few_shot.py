import numpy as np
import pytest
import torch
from labelled_store import make_labelled_store
from layered_store import make_layered_store

from featbank.errors import ProbeError, UsageError
from featbank.probes.fitting.knn_classifier import KnnClassifier
from featbank.probes.protocols import PROTOCOLS
from featbank.stages.probe.few_shot import _drawn, few_shot
from featbank.stages.probe.probe_run import ProbeRun
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_layered_store(tmp_path_factory.mktemp("s") / "vit.zarr")


def make_run(path, *, clf="knn", **options):
    options = {"shots": (2, 6), "tries": 3, "params": {"k": 1}} | options
    run = ProbeRun(PROTOCOLS[f"featbank-{clf}"], Store(path), ProbeOptions(store=path, **options))
    return run, run.read()


def test_of_each_class_as_many_are_drawn(path):
    run, data = make_run(path)
    drawn = _drawn(run, data, 6, 0)
    for use in ("train", "val"):
        assert np.bincount(data.labels[drawn.rows[use]]).tolist() == [6, 6, 6]


def test_training_draws_are_of_train(path):
    run, data = make_run(path)
    assert (Store(path).split()[_drawn(run, data, 6, 0).rows["final"]] == "train").all()


def test_validation_is_not_fitted_on(path):
    run, data = make_run(path)
    drawn = _drawn(run, data, 6, 0)
    np.testing.assert_array_equal(drawn.rows["final"], drawn.rows["train"])


def test_another_try_is_another_draw(path):
    run, data = make_run(path)
    first, second = (_drawn(run, data, 6, seed).rows["final"] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_each_value_is_the_accuracy_of_a_probe_on_its_draw(path):
    run, data = make_run(path)
    found = few_shot(run, data)[1]
    rows = _drawn(run, data, 6, 2).rows
    nearest = KnnClassifier(k=1).fit(data.features[rows["final"]], data.labels[rows["final"]])
    right = nearest.predict(data.features[rows["test"]]) == data.labels[rows["test"]]
    assert found.values[2] == pytest.approx(right.mean())


def test_of_several_labels_the_draws_are_joined(tmp_path):
    path = make_labelled_store(tmp_path / "s.zarr")
    run, data = make_run(path, labels="cover")
    drawn = data.labels[_drawn(run, data, 3, 0).rows["final"]]
    assert (drawn[:, :4].sum(axis=0) >= 3).all()
    assert len(drawn) <= 12


def test_more_shots_than_samples_are_refused_by_class(path):
    run, data = make_run(path, shots=(41,))
    with pytest.raises(ProbeError, match="--shots 41: class 'forest' has fewer training samples"):
        few_shot(run, data)


def test_neighbours_are_no_more_than_the_shots(path):
    run, data = make_run(path, shots=(2,), params={"k": 20})
    assert few_shot(run, data)[0].params["k"] == 6
    assert "k is at most the number of training samples" in run.notes


@pytest.mark.parametrize("options", [{"shots": (0, 5)}, {"tries": 0}])
def test_no_shots_or_tries_are_refused(path, tmp_path, options):
    with pytest.raises(UsageError, match="0: out of range; expected 1 or more"):
        probe_store(ProbeOptions(clf="knn", store=path, bank=tmp_path, **options))


@pytest.fixture(scope="module")
def report(path, tmp_path_factory):
    options = {"clf": "knn", "params": {"k": 1}, "shots": (1, 5), "tries": 4}
    bank = tmp_path_factory.mktemp("b")
    return probe_store(ProbeOptions(store=path, bank=bank, **options))


def test_one_row_a_number_of_shots_the_greatest_first(report):
    assert [(row.shots, row.seeds, row.selected) for row in report.results] == [
        (5, 4, True),
        (1, 4, False),
    ]


def test_the_row_says_how_many_samples_were_fitted_on(report):
    assert [row.n_train for row in report.results] == [15, 3]


def test_more_shots_are_better_here(report):
    assert report.results[0].value > report.results[1].value


def test_tries_have_a_spread(report):
    assert report.results[1].seed_sd > 0


def make_dinov2_run(path, **options):
    run = ProbeRun(PROTOCOLS["dinov2-knn"], Store(path), ProbeOptions(store=path, **options))
    return run, run.read()


@pytest.mark.parametrize(
    ("shots", "tried"), [(2, [2]), (10, [10]), (15, [10, 15]), (20, [10, 20]), (30, [10, 20, 30])]
)
def test_dinov2_tries_its_k_up_to_the_shots_and_the_shots(path, shots, tried):
    run, data = make_dinov2_run(path, shots=(shots,))
    choice = run.choose(_drawn(run, data, shots, 0), shots=shots)
    assert [params["k"] for params in choice.candidates] == tried


def test_a_k_that_the_user_fixes_is_the_only_one(path):
    run, data = make_dinov2_run(path, shots=(6,), params={"k": 3})
    assert few_shot(run, data)[0].params["k"] == 3


def test_dinov2_takes_all_of_a_class_that_has_fewer_than_the_shots(tmp_path):
    codes = np.arange(240) % 2
    codes[:3] = 2
    run, data = make_dinov2_run(make_layered_store(tmp_path / "s.zarr", codes=codes), shots=(5,))
    drawn = _drawn(run, data, 5, 0)
    assert np.bincount(data.labels[drawn.rows["final"]]).tolist() == [5, 5, 3]
    assert "of 5 shots, all training samples of 1 of 3 classes, which have fewer" in run.notes


def test_dinov2_draws_as_its_source_does(path):
    run, data = make_dinov2_run(path, shots=(4,))
    train = data.rows["train"]
    # dinov2/eval/knn.py, filter_train: one seed a try, one order a class, its first n.
    torch.manual_seed(2)
    picked = []
    for k in range(3):
        members = train[data.labels[train] == k]
        picked.extend(members[torch.randperm(len(members))[:4].numpy()])
    np.testing.assert_array_equal(_drawn(run, data, 4, 2).rows["final"], np.sort(picked))


def test_dinov2_weighs_by_the_neighbours_up_to_the_shots(path):
    run, data = make_dinov2_run(path, shots=(20,))
    drawn = _drawn(run, data, 20, 0)
    choice = run.choose(drawn, shots=20)
    assert {params["normalise_over"] for params in choice.candidates} == {20}
