"""The logistic regression probe as a scikit-learn classifier."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted, validate_data

from featbank.errors import ProbeError
from featbank.knn.vote import softmax
from featbank.probes.fitting.labelled_classifier import LabelledClassifier, constant_labels
from featbank.probes.fitting.logistic_lbfgs import descend_lbfgs
from featbank.probes.fitting.logistic_path import Fit, fit_path
from featbank.probes.fitting.logistic_solve import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.image import Array

OPTIMUM, LBFGS = "optimum", "lbfgs"
SOLVERS = (OPTIMUM, LBFGS)
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class LogisticClassifier(LabelledClassifier):
    """Multinomial logistic regression with an L2 penalty by L-BFGS, on raw features.

    The objective is scikit-learn's: C times the summed cross-entropy, plus half the squared norm
    of the weights; intercepts are free. Two classes have one weight vector, as in scikit-learn.
    With several labels a sample, each label is such a problem of two classes of its own; a label
    that never or always holds among the samples has probability 0 or 1 without a fit.

    A fit has converged as scikit-learn's has: no entry of the gradient of the mean loss, penalty
    included, is above ``tol``, by the weights of centred features and by the intercepts.

    Args:
        C: Inverse strength of the penalty, > 0.
        max_iter: Gradients after which the fit stops unconverged.
        tol: Largest gradient entry of the mean loss at which the fit has converged; of solver
            ``lbfgs`` the largest change of the loss in a step at which it ends.
        solver: ``optimum``, or ``lbfgs``: PyTorch's, from zeros and in float32 always, which ends
            where the loss changes little; as torchgeo-bench fits. Each class has a weight vector
            then, of two classes too, and several labels are one problem, so that a constant label
            is fitted too and its C counts for the mean over labels.
        dtype: Arithmetic of the solver, ``float32`` or ``float64``. In float32 the features,
            turned to their principal directions, are rounded to it, and a problem whose gradient
            float32 cannot bring to ``tol`` goes on in float64 arithmetic.

    Attributes:
        classes_: (K,) labels in sorted order, K >= 2.
        multilabel_: Whether a sample may bear several labels.
        coef_: (K, D) weights for features as given; (1, D) for two classes at the optimum.
        intercept_: (K,) intercepts; (1,) for two classes; -inf or inf for a constant label, but of
            ``lbfgs``.
        converged_: Whether the solver reached ``tol``; takes the place of a warning.
        n_iter_: Gradients computed for the slowest label; in a sweep, those after its start from
            the neighbouring strengths.
    """

    def __init__(
        self,
        C: float = 1.0,
        max_iter: int = 1000,
        tol: float = 1e-5,
        dtype: str = "float32",
        solver: str = OPTIMUM,
    ) -> None:
        self.C = C
        self.max_iter = max_iter
        self.tol = tol
        self.dtype = dtype
        self.solver = solver

    def fit(self, X: Array, y: Array) -> LogisticClassifier:
        """Fit the weights.

        Args:
            X: (N, D) finite features.
            y: (N,) labels of at least two classes, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ProbeError: All samples are of one class, C is not positive, or the dtype or the solver
                is unknown.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        (fitted,) = fit_together([self], X, y)
        return fitted

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
        if scores.shape[1] == 1:
            return np.concatenate([expit(-scores), expit(scores)], axis=1)
        return softmax(scores)

    def take(self, fit: Fit, is_fitted: Array, share: Array) -> LogisticClassifier:
        """Become fitted.

        Args:
            fit: Of the rows of weights that were fitted.
            is_fitted: Which of all rows those are, bool; all but constant labels.
            share: Share of yes of each row, 0.0 or 1.0 where it was not fitted.

        Returns:
            The classifier itself.
        """
        # A score of minus or plus infinity is a probability of 0 or 1.
        self.intercept_ = np.where(share > 0, np.inf, -np.inf)
        self.coef_ = np.zeros((len(share), self.n_features_in_))
        self.coef_[is_fitted], self.intercept_[is_fitted] = fit.coef, fit.intercept
        self.converged_, self.n_iter_ = fit.converged, fit.gradients
        return self

    def settings(self) -> Settings | None:
        """How far and in what arithmetic this classifier is solved; None where it is not."""
        if self.solver == LBFGS:
            return None
        return Settings(tol=self.tol, max_iter=self.max_iter, dtype=_DTYPES[self.dtype])

    def check(self) -> None:
        """Refuse parameters out of range, and samples of one class."""
        if len(self.classes_) < 2:
            raise ProbeError(
                "the training set",
                f"it holds one class, {self.classes_[0]}",
                "two or more classes",
                "Fit on samples of every class.",
            )
        if not 0 < self.C < np.inf:
            raise ProbeError("C", f"it is {self.C}", "a number > 0", "Pass 1.0.")
        if self.dtype not in _DTYPES:
            raise ProbeError("dtype", f"it is {self.dtype}", "float32 or float64", "Pass float32.")
        if self.solver not in SOLVERS:
            found = f"it is {self.solver}"
            raise ProbeError("solver", found, " or ".join(SOLVERS), f"Pass {OPTIMUM}.")

    def read(self, X: Array, y: Array) -> tuple[Array, Array]:
        """Check samples; features (N, D), float32 if they are given so, and their codes."""
        dtype = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
        return self._read(X, y, dtype)


def fit_together(
    classifiers: Sequence[LogisticClassifier], X: Array, y: Array
) -> Iterator[LogisticClassifier]:
    """Fit classifiers on one set of samples; those that differ in C alone as one problem.

    Args:
        classifiers: Unfitted, of any parameters.
        X: (N, D) finite features.
        y: (N,) labels of at least two classes, or (N, K) 0 and 1.

    Yields:
        The classifiers, fitted, in order.

    Raises:
        ProbeError: All samples are of one class, or a parameter is out of range.
        ValueError: The features are not finite numbers, or y is not a classification target.
    """
    X, codes = classifiers[0].read(X, y)
    seen = {name: value for name, value in vars(classifiers[0]).items() if name.endswith("_")}
    for classifier in classifiers:
        for name, value in seen.items():
            setattr(classifier, name, value)
        classifier.check()
    truth = _truth(codes, len(classifiers[0].classes_))
    is_constant, share = constant_labels(truth)
    exclusive = codes.ndim == 1 and truth.shape[1] > 1
    for settings, group in groupby(classifiers, key=LogisticClassifier.settings):
        members = list(group)
        if settings is None:
            yield from (_descended(member, X, codes) for member in members)
            continue
        strengths = [member.C for member in members]
        fits = fit_path(X, truth[:, ~is_constant], strengths, settings, exclusive=exclusive)
        for member, fit in zip(members, fits, strict=True):
            yield member.take(fit, ~is_constant, share)


def _descended(classifier: LogisticClassifier, X: Array, codes: Array) -> LogisticClassifier:
    n_classes = len(classifier.classes_)
    fit = descend_lbfgs(
        X,
        codes,
        n_classes=n_classes,
        C=classifier.C,
        max_iter=classifier.max_iter,
        tol=classifier.tol,
    )
    every = np.ones(n_classes, bool)
    return classifier.take(fit, every, np.zeros(n_classes))


def _truth(codes: Array, n_classes: int) -> Array:
    """(N, K) 0 and 1; of two classes one column, of the second."""
    if codes.ndim == 2:
        return codes
    if n_classes == 2:
        return codes[:, None].astype(np.int8)
    return np.equal(codes[:, None], np.arange(n_classes)).astype(np.int8)
