"""Subjects that figures are drawn of: a store, results and predictions of known skill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_results import make_result
from small_store import make_small_store

from featbank.bank.bank import Bank
from featbank.bank.results import Predictions, write_predictions, write_results
from featbank.datasets._clc import CLASSES_19, CLASSES_43
from featbank.lookup.subject import Subject
from featbank.samples import LabelSet

N = 320
AERIAL = tuple(f"Scene of kind {k:02d}" for k in range(30))
CLASSES = {3: ("water", "wood", "town"), 19: CLASSES_19, 30: AERIAL, 43: CLASSES_43}
THRESHOLDS = ("0.5", "tuned-f2")
PROBES = (("knn", 0.2), ("logistic", 0.35))


def make_truth(classes, *, multilabel, n=N, seed=0):
    """Labels of falling frequency; the last class is borne by no sample."""
    rng = np.random.default_rng(seed)
    share = 0.6 * 0.9 ** np.arange(len(classes))
    share[-1] = 0
    if multilabel:
        return (rng.uniform(size=(n, len(classes))) < share).astype(np.int8)
    return rng.choice(len(classes), size=n, p=share / share.sum()).astype(np.int32)


def make_predictions(ids, truth, classes, *, skill, seed=1):
    rng = np.random.default_rng(seed)
    k = len(classes)
    if truth.ndim == 2:
        scores = np.clip((1 - skill) * rng.uniform(size=truth.shape) ** 2 + skill * truth, 0, 1)
        limits = {"0.5": np.full(k, 0.5), "tuned-f2": np.full(k, 0.2)}
    else:
        skill = skill / 2  # one of many classes is told more easily than each of many labels
        scores = (1 - skill) * rng.dirichlet(np.ones(k), size=len(truth)) + skill * np.eye(k)[truth]
        limits = {}
    return Predictions(ids=ids, split="test", truth=truth, scores=scores.astype(np.float32),
                       classes=classes, thresholds=limits)  # fmt: skip


def make_rows(result, predictions, *, store, recipe, probe="knn", **fields):
    """A headline with its interval, and F1 and F2 of each class at each threshold."""
    multilabel = predictions.truth.ndim == 2
    fixed = {"probe": probe, "protocol": f"featbank-{probe}", "store": str(store.path),
             "recipe": recipe, "result": result, "label_set": "cover", "n": len(predictions.ids),
             "split_scheme": "official", "dataset": "made", "model": "tiny",
             "feature": "mean", "layer": 0} | fields  # fmt: skip
    value = fields.pop("value", 0.7) if "value" in fields else 0.7
    fixed.pop("value", None)
    head = make_result(**fixed | {"metric": "map" if multilabel else "accuracy", "value": value,
                                  "average": "macro" if multilabel else None, "low": value - 0.03,
                                  "high": value + 0.02, "selected": True})  # fmt: skip
    return [head, *_class_rows(predictions, fixed, THRESHOLDS if multilabel else (None,))]


def _class_rows(predictions, fixed, thresholds):
    truth, scores = predictions.truth, predictions.scores
    for threshold in thresholds:
        if truth.ndim == 2:
            true, said = truth == 1, scores >= predictions.thresholds[threshold]
        else:
            eye = np.eye(len(predictions.classes), dtype=bool)
            true, said = eye[truth], eye[scores.argmax(axis=1)]
        tp, fp, fn = (true & said).sum(0), (~true & said).sum(0), (true & ~said).sum(0)
        for metric, beta2 in (("f1", 1), ("f2", 4)):
            for k, name in enumerate(predictions.classes):
                below = (1 + beta2) * tp[k] + beta2 * fn[k] + fp[k]
                value = (1 + beta2) * tp[k] / below if tp[k] + fn[k] else np.nan
                ends = {} if np.isnan(value) else {"low": max(0, value - 0.1),
                                                   "high": min(1, value + 0.08)}  # fmt: skip
                yield make_result(**fixed | {"metric": metric, "value": float(value), **ends,
                                             "class_name": name, "threshold": threshold,
                                             "n": int(tp[k] + fn[k])})  # fmt: skip
            yield make_result(**fixed | {"metric": metric, "value": 0.55, "average": "macro",
                                         "threshold": threshold})  # fmt: skip


def few_shot_rows(result, *, store, recipe, **fields):
    """Shots, the most first, as the probe command keeps them; no predictions go with them."""
    fixed = {"store": str(store.path), "recipe": recipe, "result": result, "layer": 0,
             "dataset": "made",
             "label_set": "cover", "model": "tiny", "feature": "mean"} | fields  # fmt: skip
    values = {20: (0.66, 0.01), 5: (0.52, 0.03), 1: (0.31, 0.06)}
    return [
        make_result(**fixed | {"shots": shots, "value": value, "seed_sd": sd, "seeds": 5,
                               "selected": shots == 20, "n_train": shots * 3})
        for shots, (value, sd) in values.items()
    ]  # fmt: skip


def candidate_rows(result, *, store, recipe, **fields):
    """The headline of each k, as a protocol that tells all of them keeps them."""
    fixed = {"store": str(store.path), "recipe": recipe, "result": result, "label_set": "cover",
             "dataset": "made", "model": "tiny", "feature": "cls", "layer": 0,
             "protocol": "dinov2-knn"} | fields  # fmt: skip
    values = {20: 0.64, 10: 0.61, 100: 0.58, 200: 0.5}
    rows = [
        make_result(**fixed | {"params": f'{{"k": {k}, "temperature": 0.07}}', "value": value,
                               "selected": k == 20, "low": 0.6 if k == 20 else None,
                               "high": 0.69 if k == 20 else None})
        for k, value in values.items()
    ]  # fmt: skip
    return [rows[0], make_result(**fixed | {"value": 0.9, "split": "val",
                                            "params": rows[0].params}), *rows[1:]]  # fmt: skip


def make_subject(root, count=3, *, multilabel=False, n=N, write=True):
    """A store and results of it: two probes; of one class also few shots and candidates."""
    classes, bank = CLASSES[count], Bank(Path(root))
    truth = make_truth(classes, multilabel=multilabel, n=n)
    ids = [f"chip-{i:04d}" for i in range(n)]
    store = make_small_store(
        bank.stores_folder / "made" / f"tiny-{count:08d}.zarr",
        ids,
        np.random.default_rng(0).normal(size=(n, 4)),
        labels={"cover": LabelSet(classes=classes, codes=truth)},
        attributes={"labels_sha256": "1" * 64},
    )
    recipe = store.attributes["recipe_id"]
    rows = np.flatnonzero(store.split() == "test")
    results = []
    for position, (probe, skill) in enumerate(PROBES):
        result = f"{position + 1}{count:02d}".ljust(16, "a")
        said = make_predictions(store.ids[rows], truth[rows], classes, skill=skill, seed=position)
        made = make_rows(result, said, store=store, recipe=recipe, probe=probe,
                         value=0.6 + 0.1 * position)  # fmt: skip
        results.append(tuple(made))
        if write:
            write_predictions(bank, result, said)
    if not multilabel:
        results.append(tuple(few_shot_rows("f" * 16, store=store, recipe=recipe)))
        results.append(tuple(candidate_rows("c" * 16, store=store, recipe=recipe)))
    if write:
        for made in results:
            write_results(bank, made)
    return Subject(bank=bank, store=store, results=tuple(results))
