"""The logistic regression probe as a scikit-learn classifier."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from featbank.image import Array

# Below N D K of this, threads cost more than they give: on two busy cores a fit of 1800 x 192 x 30
# took .5 s in one thread and 9 s in two, whose barriers spin.
_THREADED_PRODUCTS = 100_000_000


class LogisticClassifier(ClassifierMixin, BaseEstimator):
    """Multinomial logistic regression with an L2 penalty by L-BFGS, in float64, on raw features.

    The objective is scikit-learn's: C times the summed cross-entropy, plus half the squared norm
    of the weights; intercepts are free. Two classes have one weight vector, as in scikit-learn.

    Args:
        C: Inverse strength of the penalty, > 0.
        max_iter: Iterations after which the fit stops unconverged.
        tol: Largest gradient entry of the mean loss at which the fit has converged.

    Attributes:
        classes_: (K,) labels in sorted order, K >= 2.
        model_: The fitted ``sklearn.linear_model.LogisticRegression``, for features as given.
        converged_: Whether the optimiser reached ``tol``; takes the place of a warning.
        n_iter_: Iterations run.
    """

    def __init__(self, C: float = 1.0, max_iter: int = 1000, tol: float = 1e-4) -> None:
        self.C = C
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Array, y: Array) -> LogisticClassifier:
        """Fit the weights.

        Args:
            X: (N, D) finite features.
            y: (N,) labels of at least two classes.

        Returns:
            The classifier itself.

        Raises:
            ProbeError: All samples are of one class, or C is not positive.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        self._check()
        model = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=self.tol)
        # The intercept is free, so centring changes only the variables: same optimum, fewer steps.
        mean = X.mean(axis=0)
        is_small = X.size * len(self.classes_) < _THREADED_PRODUCTS
        with threadpool_limits(1 if is_small else None):
            self.converged_ = _fit_quietly(model, X - mean, y)
        model.intercept_ -= model.coef_ @ mean
        self.model_ = model
        self.n_iter_ = int(model.n_iter_.max())
        return self

    def predict_proba(self, X: Array) -> Array:
        """Class probabilities (N, K) of features (N, D); rows sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        probabilities: Array = self.model_.predict_proba(X)
        return probabilities

    def predict(self, X: Array) -> Array:
        """The most probable label (N,) of each row of features (N, D)."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: Array = self.classes_[best]
        return labels

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
