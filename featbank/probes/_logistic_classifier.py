"""The logistic regression probe as a scikit-learn classifier."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from featbank.errors import ProbeError
from featbank.knn.vote import softmax
from featbank.probes._labelled_classifier import LabelledClassifier, constant_labels

if TYPE_CHECKING:
    from featbank.image import Array

# Below N D K of this, threads cost more than they give: on two busy cores a fit of 1800 x 192 x 30
# took .5 s in one thread and 9 s in two, whose barriers spin.
_THREADED_PRODUCTS = 100_000_000


class LogisticClassifier(LabelledClassifier):
    """Multinomial logistic regression with an L2 penalty by L-BFGS, in float64, on raw features.

    The objective is scikit-learn's: C times the summed cross-entropy, plus half the squared norm
    of the weights; intercepts are free. Two classes have one weight vector, as in scikit-learn.
    With several labels a sample, each label is such a problem of two classes of its own; a label
    that never or always holds among the samples has probability 0 or 1 without a fit.

    Args:
        C: Inverse strength of the penalty, > 0.
        max_iter: Iterations after which the fit stops unconverged.
        tol: Largest gradient entry of the mean loss at which the fit has converged.

    Attributes:
        classes_: (K,) labels in sorted order, K >= 2.
        multilabel_: Whether a sample may bear several labels.
        coef_: (K, D) weights for features as given; (1, D) for two classes.
        intercept_: (K,) intercepts; (1,) for two classes; -inf or inf for a constant label.
        converged_: Whether the optimiser reached ``tol``; takes the place of a warning.
        n_iter_: Iterations run, of the slowest label.
    """

    def __init__(self, C: float = 1.0, max_iter: int = 1000, tol: float = 1e-4) -> None:
        self.C = C
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Array, y: Array) -> LogisticClassifier:
        """Fit the weights.

        Args:
            X: (N, D) finite features.
            y: (N,) labels of at least two classes, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ProbeError: All samples are of one class, or C is not positive.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        X, codes = self._read(X, y, np.float64)
        self._check()
        self.converged_, self.n_iter_ = True, 0
        # The intercept is free, so centring changes only the variables: same optimum, fewer steps.
        mean = X.mean(axis=0)
        centred = X - mean
        if self.multilabel_:
            self._fit_labels(centred, codes)
        else:
            self._fit_one(centred, self.classes_[codes])
        self.intercept_ -= self.coef_ @ mean
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K) of features (N, D); rows of one class a sample sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scores = X @ self.coef_.T + self.intercept_
        if self.multilabel_:
            return np.asarray(expit(scores))
        if len(self.classes_) == 2:
            return np.concatenate([expit(-scores), expit(scores)], axis=1)
        return softmax(scores)

    def _fit_one(self, X: Array, y: Array) -> None:
        model = self._fitted(X, y, size=X.size * len(self.classes_))
        self.coef_, self.intercept_ = model.coef_, model.intercept_

    def _fit_labels(self, X: Array, codes: Array) -> None:
        is_constant, share = constant_labels(codes)
        self.coef_ = np.zeros((codes.shape[1], X.shape[1]))
        # A score of minus or plus infinity is a probability of 0 or 1.
        self.intercept_ = np.where(share > 0, np.inf, -np.inf)
        for k in np.flatnonzero(~is_constant):
            model = self._fitted(X, codes[:, k], size=X.size)
            self.coef_[k], self.intercept_[k] = model.coef_[0], model.intercept_[0]

    def _fitted(self, X: Array, y: Array, *, size: int) -> LogisticRegression:
        model = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=self.tol)
        with threadpool_limits(1 if size < _THREADED_PRODUCTS else None):
            self.converged_ &= _fit_quietly(model, X, y)
        self.n_iter_ = max(self.n_iter_, int(model.n_iter_.max()))
        return model

    def _check(self) -> None:
        if len(self.classes_) < 2:
            raise ProbeError(
                "the training set",
                f"it holds one class, {self.classes_[0]}",
                "two or more classes",
                "Fit on samples of every class.",
            )
        if not self.C > 0:
            raise ProbeError("C", f"it is {self.C}", "a number > 0", "Pass 1.0.")


def _fit_quietly(model: LogisticRegression, X: Array, y: Array) -> bool:
    """Fit, and say whether it converged; every other warning passes through."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X, y)
    others = [each for each in caught if not issubclass(each.category, ConvergenceWarning)]
    for each in others:
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return len(others) == len(caught)
