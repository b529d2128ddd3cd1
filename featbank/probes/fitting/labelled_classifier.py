"""What all probes share: targets of one class a sample or of several labels, and decisions."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array

MULTILABEL = "multilabel-indicator"


class LabelledClassifier(ClassifierMixin, BaseEstimator):
    """Base of the probes.

    Attributes:
        classes_: (K,) labels in sorted order; for several labels a sample, 0 to K - 1.
        multilabel_: Whether a sample may bear several labels.
    """

    classes_: Array
    multilabel_: bool

    def predict(self, X: Array) -> Array:
        """The most probable label (N,), or each label's yes at 0.5 or above as (N, K) 0 and 1."""
        probabilities: Array = self.predict_proba(X)
        if self.multilabel_:
            return (probabilities >= 0.5).astype(np.int64)
        labels: Array = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K); rows sum to 1, but for several labels a sample."""
        raise NotImplementedError

    def _read(self, X: Array, y: Array, dtype: type) -> tuple[Array, Array]:
        """Check samples and set ``classes_`` and ``multilabel_``.

        Returns:
            (N, D) features of ``dtype``, and (N,) indices into ``classes_`` or (N, K) 0 and 1.

        Raises:
            ProbeError: A multilabel target holds other numbers than 0 and 1.
            ValueError: The features are not finite, or y is not a classification target.
        """
        X, y = validate_data(self, X, y, dtype=dtype, multi_output=True)
        with few_samples_a_class():
            check_classification_targets(y)
            self.multilabel_ = type_of_target(y) == MULTILABEL
        if self.multilabel_:
            _require_binary(y)
            self.classes_ = np.arange(y.shape[1])
            return X, y.astype(np.int8)
        self.classes_, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        return X, codes

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - scikit-learn's record of tags is untyped
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


@contextmanager
def few_samples_a_class() -> Iterator[None]:
    """Without scikit-learn's guess that one sample a class means a regression: it is few-shot."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        yield


def constant_labels(codes: Array) -> tuple[Array, Array]:
    """Labels that never or always hold, which no model can be fitted to.

    Args:
        codes: (N, K) 0 and 1.

    Returns:
        (K,) bool whether each label is constant, and its (K,) share of yes, 0.0 or 1.0 there.
    """
    share = codes.mean(axis=0)
    return (share == 0) | (share == 1), share


def _require_binary(y: Array) -> None:
    if not np.isin(y, (0, 1)).all():
        raise ProbeError(
            "y",
            f"its values are {np.unique(y).tolist()}",
            "0 and 1 in each of the K columns",
            "Leave out samples without a label.",
        )
