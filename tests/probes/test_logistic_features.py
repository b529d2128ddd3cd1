"""The whole path of strengths on real features: the tiny ViT on aerial scenes of 30 classes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

import featbank
from featbank.probes.fitting.logistic_classifier import LogisticClassifier, fit_together

pytestmark = pytest.mark.slow
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@pytest.fixture(scope="module")
def splits(aid_bank):
    """540 train and 180 validation features, float64, with their classes."""
    store = featbank.open_store(next((aid_bank / "stores" / "aid100").glob("vit-tiny-*.zarr")))
    found = []
    for name, count in (("train", 540), ("val", 180)):
        X, y = store.xy(name, split_scheme="random-0")
        rows = np.random.default_rng(0).permutation(len(y))[:count]
        found += [X[rows].astype(float), y[rows]]
    return found


def fitted(X, y):
    """Ours at each strength, and scikit-learn's, for centred features: the same optimum."""
    ours = [LogisticClassifier(C=C, tol=1e-6, max_iter=3000) for C in STRENGTHS]
    for fit in fit_together(ours, X, y):
        assert fit.converged_
        yield fit, LogisticRegression(C=fit.C, tol=1e-6, max_iter=3000, solver="newton-cg")


def test_accuracy_equals_scikit_learns(splits):
    X, y, X_val, y_val = splits
    for ours, reference in fitted(X, y):
        reference.fit(X - X.mean(axis=0), y)
        theirs = reference.score(X_val - X.mean(axis=0), y_val)
        assert ours.score(X_val, y_val) == pytest.approx(theirs, abs=0.001)


def test_macro_map_of_labels_equals_scikit_learns(splits):
    X, y, X_val, y_val = splits
    # A label is borne by scenes of some of the 30 classes.
    bears = np.random.default_rng(0).uniform(size=(30, 4)) < (0.05, 0.1, 0.2, 0.4)
    bears[:4] |= np.eye(4, dtype=bool)
    labels, truth = bears[y].astype(int), bears[y_val]
    for ours, reference in fitted(X, labels):
        centred = X_val - X.mean(axis=0)
        models = (reference.fit(X - X.mean(axis=0), column) for column in labels.T)
        theirs = np.column_stack([model.predict_proba(centred)[:, 1] for model in models])
        scores = [average_precision_score(truth, p) for p in (ours.predict_proba(X_val), theirs)]
        assert scores[0] == pytest.approx(scores[1], abs=0.001)
