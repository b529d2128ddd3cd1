"""What thresholds and the temperature are fitted on: scores of probes that have not seen them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_store import make_labelled_store

from featbank.metrics.scoring.thresholds import best_threshold, tuned_thresholds
from featbank.probes import PROBES
from featbank.probes.fitting.sweep import Labelled, fitted, predict
from featbank.probes.protocols import PROTOCOLS
from featbank.stages.probe import probe_run as run
from featbank.stages.probe.probe_run import ProbeRun
from featbank.stages.probe.run import ProbeOptions
from featbank.stages.probe.unseen_scores import FOLDS, fold_numbers, unseen_scores
from featbank.store.reader import Store

N, K = 60, 3


def made(seed=0, n=N):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % K
    features = rng.normal(size=(n, 8)).astype(np.float32) + 1.5 * np.eye(K, 8)[labels]
    return Labelled(features=features.astype(np.float32), labels=labels, n_classes=K)


def unseen(name, data, params, groups=None):
    spec = PROBES[name]
    whole = {**spec.defaults, **params}
    return unseen_scores(spec, data, whole, groups=groups, seed=0, split="train+val")


@given(st.lists(st.integers(0, 11), min_size=1, max_size=60), st.integers(0, 3))
def test_no_two_folds_share_a_group(groups, seed):
    groups = np.array(groups)
    folds = fold_numbers(np.arange(len(groups)) % 2, groups, seed=seed)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(0, 3))
def test_without_groups_each_class_is_spread_evenly(labels, seed):
    labels = np.array(labels)
    folds = fold_numbers(labels, None, seed=seed)
    for label in set(labels):
        counts = np.bincount(folds[labels == label], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1


def test_scores_are_those_of_a_probe_of_the_other_folds():
    data = made()
    found = unseen("logistic", data, {"C": 1.0})
    folds = fold_numbers(data.labels, None, seed=0)
    rest = folds != 2
    part = Labelled(features=data.features[rest], labels=data.labels[rest], n_classes=K)
    spec = PROBES["logistic"]
    (probe,) = fitted(spec, [({**spec.defaults, "C": 1.0}, 0)], part)
    np.testing.assert_allclose(
        found.scores[~rest], predict(probe, data.features[~rest], part), atol=1e-6
    )


def test_labels_that_a_probe_learns_by_heart_do_not_look_certain():
    """Noise labels: a probe that has seen its samples is right; one that has not is at chance."""
    data = made(n=90)
    noise = Labelled(
        features=data.features,
        labels=np.random.default_rng(1).permutation(data.labels),
        n_classes=K,
    )
    found = unseen("knn", noise, {"k": 1})
    assert (found.scores.argmax(axis=1) == noise.labels).mean() < 0.6


def test_a_sample_whose_class_no_other_fold_has_is_left_out():
    data = made()
    labels = data.labels.copy()
    labels[labels == 2] = 1
    labels[5] = 2
    one = Labelled(features=data.features, labels=labels, n_classes=K)
    found = unseen("knn", one, {"k": 3})
    assert found.scores.shape == (N - 1, K)
    assert not (found.truth == 2).any()


@pytest.mark.parametrize("name", ["logistic", "linear", "mlp", "forest", "knn"])
def test_classes_that_no_two_groups_share_give_none(name):
    data = made()
    two = Labelled(features=data.features, labels=(data.labels > 0).astype(int), n_classes=2)
    assert unseen(name, two, {}, groups=two.labels) is None


def test_a_single_label_that_all_but_a_fold_bear_is_certain_there():
    data = made()
    labels = np.ones((N, 1), dtype=np.int8)
    labels[0] = 0
    one = Labelled(features=data.features, labels=labels, n_classes=1)
    found = unseen("knn", one, {"k": 3})
    folds = fold_numbers(labels, None, seed=0)
    # The only sample without it is the first; where it is held out, all others bear the label.
    assert (found.scores[folds == folds[0]] == 1).all()


@pytest.mark.parametrize(
    ("params", "groups"), [({"k": 55}, None), ({"k": 3}, np.zeros(N, dtype=int))]
)
def test_folds_that_cannot_stand_for_the_whole_give_none(params, groups):
    assert unseen("knn", made(), params, groups) is None


def test_a_run_parts_no_group_of_its_store(tmp_path, monkeypatch):
    path = make_labelled_store(tmp_path / "s.zarr")
    options = ProbeOptions(store=path, bank=tmp_path / "bank", labels="dominant", resamples=0)
    asked = ProbeRun(PROTOCOLS["featbank-knn"], Store(path), options)
    data, seen = asked.read(), {}
    monkeypatch.setattr(run, "unseen_scores", lambda *_, **more: seen.update(more))
    choice = asked.choose(data)
    assert asked.unseen(data, choice).split == "val"  # the stand-in gives no folds
    assert seen["split"] == "train+val"
    assert seen["groups"].tolist() == data.groups[data.rows["final"]].tolist()
    assert len(set(seen["groups"])) > 5


def test_a_label_that_stands_in_one_group_alone_takes_the_pooled_threshold():
    rng = np.random.default_rng(0)
    groups = np.arange(120) // 10
    labels = (rng.uniform(size=(120, 2)) < 0.4).astype(np.int8)
    labels[:, 1] = groups == 3
    features = (rng.normal(size=(120, 8)) + 2 * np.eye(2, 8)[:, None][0] * labels[:, :1]).astype(
        "f4"
    )
    found = unseen(
        "logistic", Labelled(features=features, labels=labels, n_classes=2), {"C": 1.0}, groups
    )
    assert found.unlearned == {1}
    tuned = tuned_thresholds(found.truth, found.scores, min_positives=5, unlearned=found.unlearned)
    own = best_threshold(found.truth[:, 0], found.scores[:, 0], beta=2.0)
    assert tuned.values.tolist() == [own, own]
    assert tuned.is_pooled.tolist() == [False, True]


def test_samples_of_a_class_that_no_other_fold_has_are_left_out():
    data = made()
    groups = np.where(data.labels == 2, 99, np.arange(N) // 4)
    found = unseen("logistic", data, {"C": 1.0}, groups)
    assert set(found.truth) == {0, 1}
    assert len(found.truth) == len(found.scores) == (data.labels != 2).sum()
