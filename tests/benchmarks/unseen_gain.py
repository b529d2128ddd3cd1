"""What held-out folds give over validation alone: ECE at the temperature, F2 at tuned thresholds.

Features of AID's 3,000 scenes by the tiny ViT (golden file of protocols), five stratified splits of
60, 20 and 20 %. Before: temperature and thresholds of a probe of train on validation. After: of
held-out folds of train and validation. Both are used with the probe of train and validation, and
scored on test. Several labels are what the 30 scenes have in common, such as water.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import safe_open as open_file
from sklearn.metrics import fbeta_score
from sklearn.model_selection import train_test_split

from featbank.metrics.calibration import ece
from featbank.metrics.headline_score import as_kept, headline_score
from featbank.metrics.scoring.calibration import bins_of, fit_temperature, pooled, scaled
from featbank.metrics.scoring.thresholds import tuned_thresholds
from featbank.probes import PROBES
from featbank.probes.fitting.sweep import Labelled, candidates, choose, fitted, predict
from featbank.probes.protocols import PROTOCOLS
from featbank.stages.probe.unseen_scores import unseen_scores

if TYPE_CHECKING:
    from pathlib import Path

SCHEMES, PROBE_NAMES = 5, ("knn", "linear", "logistic", "mlp", "forest")
# What scenes of AID's classes hold, by their names.
HELD = {
    "water": "Beach Bridge Pond Port River Resort",
    "buildings": "Commercial DenseResidential MediumResidential SparseResidential Industrial School"
    " Church Center Resort RailwayStation",
    "ways": "Airport Bridge Port RailwayStation Viaduct Parking",
    "sports": "BaseballField Playground Stadium",
    "bare ground": "BareLand Desert Mountain Beach",
    "green": "Forest Park Meadow Farmland",
}


def measure(shared: Path) -> dict[str, Any]:
    path = shared / "golden" / "protocols.safetensors"
    with open_file(path, "np") as file:
        names = [each.split("/")[0] for each in file.metadata()["ids"].split("\n")]
    arrays = load_file(path)
    X, one = arrays["features.cls"], arrays["labels"].astype(np.int64)
    several = np.array([[name in held.split() for held in HELD.values()] for name in names])
    return {
        name: {
            "ece": figures(name, X, one, ece_after),
            "f2": figures(name, X, several.astype(np.int64), f2_after),
        }
        for name in PROBE_NAMES
    }


def figures(name: str, X: np.ndarray, labels: np.ndarray, scored: Any) -> dict[str, Any]:
    runs = [run(name, X, labels, scored, seed) for seed in range(SCHEMES)]
    before, after, took, folds = (np.array(column) for column in zip(*runs, strict=True))
    return {
        "before": round(float(before.mean()), 4),
        "after": round(float(after.mean()), 4),
        "better_in": int(((after < before) if scored is ece_after else (after > before)).sum()),
        "equal_in": int((after == before).sum()),
        "schemes": SCHEMES,
        "folds_over_the_rest": round(float(np.median(folds / took)), 2),
    }


def run(name: str, X: np.ndarray, labels: np.ndarray, scored: Any, seed: int) -> tuple[float, ...]:
    """The score on test before and after; seconds of choosing and fitting, and of the folds."""
    strata = labels if labels.ndim == 1 else labels @ (1 << np.arange(labels.shape[1]))
    rows, test = train_test_split(np.arange(len(X)), test_size=0.2, stratify=strata,
                                  random_state=seed)  # fmt: skip
    train, val = train_test_split(rows, test_size=0.25, stratify=strata[rows], random_state=seed)
    n_classes = int(labels.max()) + 1 if labels.ndim == 1 else labels.shape[1]
    take = partial(part, X, labels, n_classes)
    spec, protocol = PROBES[name], PROTOCOLS[PROBES[name].protocol]
    start = time.perf_counter()
    choice = choose(
        spec,
        candidates(protocol, spec.defaults, {}),
        fit_data=take(train),
        score_data=take(val),
        seed=0,
        scorer=headline_score,
    )
    final = take(np.concatenate([train, val]))
    (probe,) = fitted(spec, [(choice.params, 0)], final)
    fitted_s = time.perf_counter() - start
    found = unseen_scores(spec, final, choice.params, groups=None, seed=0, split="train+val")
    folds_s = time.perf_counter() - start - fitted_s
    said = predict(probe, X[test], final)
    before = scored(labels[val], choice.validation, labels[test], said)
    return before, scored(found.truth, found.scores, labels[test], said), fitted_s, folds_s


def part(X: np.ndarray, labels: np.ndarray, n_classes: int, rows: np.ndarray) -> Labelled:
    return Labelled(features=X[rows], labels=labels[rows], n_classes=n_classes)


def ece_after(truth: np.ndarray, scores: np.ndarray, test: np.ndarray, said: np.ndarray) -> float:
    temperature = fit_temperature(truth, as_kept(scores))
    bins = bins_of(test, scaled(as_kept(said), temperature, exclusive=True))
    return float(ece(pooled(bins)))


def f2_after(truth: np.ndarray, scores: np.ndarray, test: np.ndarray, said: np.ndarray) -> float:
    limits = tuned_thresholds(truth, as_kept(scores)).values
    return float(fbeta_score(test, as_kept(said) >= limits, beta=2, average="macro"))
