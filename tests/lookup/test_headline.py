"""The metric that stands first is the protocol's."""

import json

import numpy as np
import pytest
from labelled_store import make_labelled_store
from sklearn.metrics import average_precision_score, f1_score

from featbank.bank.bank import Bank
from featbank.bank.results import read_predictions
from featbank.lookup.headline import Headline, headline_of
from featbank.probes.protocols import PROTOCOLS
from featbank.stages.probe.run import ProbeOptions, probe_store


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_labelled_store(tmp_path_factory.mktemp("s") / "several.zarr")


@pytest.fixture(scope="module")
def probe(path, tmp_path_factory):
    bank = tmp_path_factory.mktemp("bank")

    def run(**options):
        options = {"labels": "cover", "resamples": 0} | options
        report = probe_store(ProbeOptions(store=path, bank=bank, **options))
        kept = read_predictions(Bank(bank).predictions_path(report.results[0].result))
        return report.results, kept

    return run


def rounded(seed=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random((80, 6)) < 0.3).astype(np.int8)
    return truth, rng.random((80, 6)).round(1).astype(np.float32)


def test_pooled_average_precision_is_scikit_learns():
    truth, scores = rounded()
    found = Headline(metric="map", average="micro").score(truth, scores)
    assert found == pytest.approx(average_precision_score(truth, scores, average="micro"))


def test_pooled_f1_is_that_of_the_most_probable_labels():
    truth, _ = rounded()
    scores = np.random.default_rng(1).random(truth.shape)
    said = np.argsort(np.argsort(-scores, axis=1), axis=1) < 2
    found = Headline(metric="f1", average="micro", top=2).score(truth, scores)
    assert found == pytest.approx(f1_score(truth, said, average="micro"))


@pytest.mark.parametrize("name", ["torchgeo-bench-knn5", "torchgeo-bench-linear"])
def test_torchgeo_bench_reports_micro_map_of_several_labels(probe, name):
    params = {"C": 1.0} if name.endswith("linear") else {}
    (head, on_validation, *_), kept = probe(protocol=name, params=params)
    assert (head.metric, head.average, head.threshold) == ("map", "micro", None)
    expected = average_precision_score(kept.truth, kept.scores, average="micro")
    assert head.value == pytest.approx(expected, abs=1e-6)
    assert (on_validation.split, on_validation.average) == ("val", "micro")


def test_pangaea_reports_micro_f1_of_the_most_probable_labels():
    head = headline_of(PROTOCOLS["pangaea-knn"], several=True)
    assert (head.metric, head.average, head.threshold) == ("f1", "micro", "top-5")


def test_torchgeo_bench_chooses_its_strength_by_micro_map(probe, path):
    from featbank.stages.probe.probe_run import ProbeRun
    from featbank.store.reader import Store

    run = ProbeRun(PROTOCOLS["torchgeo-bench-linear"], Store(path), ProbeOptions(labels="cover"))
    data = run.read()
    choice = run.choose(data)
    truth = data.labels[data.rows["val"]]
    found = average_precision_score(truth, choice.validation, average="micro")
    assert max(choice.scores) == pytest.approx(found, abs=1e-6)
    assert json.dumps(dict(choice.params))


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_one_class_a_sample_is_reported_by_accuracy(name):
    head = headline_of(PROTOCOLS[name], several=False)
    assert (head.metric, head.average, head.threshold) == ("accuracy", None, None)


@pytest.mark.parametrize("name", ["dinov2-knn", "featbank-logistic"])
def test_other_protocols_report_macro_map_of_several_labels(name):
    head = headline_of(PROTOCOLS[name], several=True)
    assert (head.metric, head.average) == ("map", "macro")


def test_pangaeas_headline_is_the_row_of_its_most_probable_labels(path, tmp_path):
    from dataclasses import replace

    from featbank.stages.probe.run import probe_one
    from featbank.store.reader import Store

    # The made store has five labels and no blocks: two of them decide, and its one feature is read.
    protocol = replace(PROTOCOLS["pangaea-knn"], parts=(), top=2)
    options = ProbeOptions(labels="cover", params={"k": 5}, resamples=0, bank=tmp_path)
    report = probe_one(protocol, Store(path), options)
    (head,) = (row for row in report.results if row.selected)
    assert (head.metric, head.average, head.threshold) == ("f1", "micro", "top-2")
    kept = read_predictions(report.predictions_path)
    said = np.argsort(np.argsort(-kept.scores, axis=1, kind="stable"), axis=1) < 2
    assert head.value == pytest.approx(f1_score(kept.truth, said, average="micro"))
    assert report.results[1].split == "val"
    assert report.results[1].threshold == "top-2"
