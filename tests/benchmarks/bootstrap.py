"""Intervals of all multilabel metrics: against a plain loop over scikit-learn, and at scale.

20,000 samples of 19 labels, decisions at two sets of thresholds, 1,000 parts left out in turn; the
loop makes the same metrics of 10 resamples and is scaled. It calls scikit-learn as sparingly as one
can: values by label once, from which macro and weighted averages follow, then micro and samples.
Then 120,000 samples of 43 labels, parts of whose samples and then of whose 1,200 groups are left
out. Rounds alternate, so that a busy machine slows both sides alike; compiling is done before.
"""

from __future__ import annotations

import resource
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.metrics.scoring.multilabel_scoring import score_multilabel
from featbank.metrics.scoring.resampling import Resampling, drawn_times

if TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE, GROUPS = (20_000, 19), (120_000, 43), 1_200
RESAMPLES, LOOPED, ROUNDS = 1000, 10, 3


def measure(shared: Path) -> dict[str, Any]:
    truth, scores, thresholds = make_case(*SMALL)
    score_multilabel(
        truth[:50], scores[:50], thresholds=thresholds, resampling=Resampling(resamples=2)
    )
    require_equal(truth[:2000], scores[:2000], thresholds)
    ours, loops = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: bootstrapped(truth, scores, thresholds)))
        looped = seconds(lambda: loop(truth, scores, thresholds, LOOPED))
        loops.append(looped * RESAMPLES / LOOPED)
    ratios = [b / a for a, b in zip(ours, loops, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 1),
        "ratios": [round(min(ratios), 1), round(max(ratios), 1)],
        "featbank_s": round(statistics.median(ours), 2),
        "loop_s": round(statistics.median(loops), 1),
        "loop_resamples": LOOPED,
        "resamples": RESAMPLES,
        "small": "{} x {}".format(*SMALL),
        **at_scale(),
    }


def at_scale() -> dict[str, Any]:
    truth, scores, thresholds = make_case(*LARGE)
    groups = np.random.default_rng(1).integers(GROUPS, size=len(truth))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    by_sample = seconds(lambda: bootstrapped(truth, scores, thresholds))
    by_group = seconds(lambda: bootstrapped(truth, scores, thresholds, groups))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "large": "{} x {}".format(*LARGE),
        "large_samples_s": round(by_sample, 1),
        "large_groups_s": round(by_group, 1),
        "groups": GROUPS,
        "large_above_data_mb": round((peak - before) * 1024 / 1e6),
        "large_data_mb": round((truth.nbytes + scores.nbytes) / 1e6),
    }


def make_case(n: int, k: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    truth = (rng.uniform(size=(n, k)) < np.linspace(0.7, 0.1, k) ** 2).astype(np.int8)
    odds = np.exp(rng.standard_normal((n, k), dtype=np.float32) + 1.5 * truth - 2)
    scores = (odds / (1 + odds)).astype(np.float32)
    return truth, scores, {"0.5": np.full(k, 0.5), "tuned-f2": np.linspace(0.35, 0.1, k)}


def bootstrapped(truth: Any, scores: Any, thresholds: Any, groups: Any = None) -> list[Any]:
    resampling = Resampling(groups=groups, resamples=RESAMPLES)
    return score_multilabel(truth, scores, thresholds=thresholds, resampling=resampling)


def loop(truth: Any, scores: Any, thresholds: Any, resamples: int) -> list[dict[Any, Any]]:
    found = []
    for times in drawn_times(len(truth), first=0, width=resamples, seed=0).T:
        rows = np.repeat(np.arange(len(truth)), times)
        found.append(by_scikit_learn(truth[rows], scores[rows], thresholds))
    return found


def by_scikit_learn(truth: Any, scores: Any, thresholds: Any) -> dict[Any, Any]:
    from sklearn.metrics import (
        average_precision_score,
        brier_score_loss,
        fbeta_score,
        hamming_loss,
        log_loss,
        multilabel_confusion_matrix,
        precision_recall_fscore_support,
    )

    yes = np.ones_like(truth)
    by_label = average_precision_score(truth, scores, average=None)
    values: dict[Any, Any] = {
        ("map", "macro", None): by_label.mean(),
        ("map", "weighted", None): np.average(by_label, weights=truth.sum(axis=0)),
        ("map", "micro", None): average_precision_score(truth, scores, average="micro"),
        ("log_loss", None, None): log_loss(truth.ravel(), scores.ravel()),
        ("brier", None, None): brier_score_loss(truth.ravel(), scores.ravel()),
        ("hamming_loss", None, "all-negative"): hamming_loss(truth, 1 - yes),
    }
    for average in ("macro", "micro"):
        for beta in (1, 2):
            key = (f"f{beta}", average, "all-positive")
            values[key] = fbeta_score(truth, yes, beta=beta, average=average)
    for name, limits in thresholds.items():
        said = (scores >= limits).astype(np.int8)
        for average in (None, "micro", "samples"):
            p, r, f1, _ = precision_recall_fscore_support(
                truth, said, average=average, zero_division=0
            )
            f2 = fbeta_score(truth, said, beta=2, average=average, zero_division=0)
            for metric, value in (("precision", p), ("recall", r), ("f1", f1), ("f2", f2)):
                if average is None:
                    values[metric, "macro", name] = value.mean()
                    weights = truth.sum(axis=0)
                    values[metric, "weighted", name] = np.average(value, weights=weights)
                else:
                    values[metric, average, name] = value
        (tn, fp), _ = multilabel_confusion_matrix(truth, said).transpose(1, 2, 0)
        values["specificity", "macro", name] = (tn / (tn + fp)).mean()
        values["specificity", "micro", name] = tn.sum() / (tn + fp).sum()
        values["hamming_loss", None, name] = hamming_loss(truth, said)
    return values


def require_equal(truth: Any, scores: Any, thresholds: Any) -> None:
    """Both sides make the same metrics, every one of those that have an interval."""
    resampling = Resampling(resamples=2)
    rows = score_multilabel(truth, scores, thresholds=thresholds, resampling=resampling)
    kept = [row for row in rows if row.class_index is None and row.low is not None]
    ours = {(row.metric, row.average, row.threshold): row.value for row in kept}
    theirs = by_scikit_learn(truth, scores, thresholds)
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        np.testing.assert_allclose(value, theirs[key], rtol=1e-6, err_msg=str(key))


def seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
