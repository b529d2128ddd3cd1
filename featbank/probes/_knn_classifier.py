"""The k-nearest-neighbour probe as a scikit-learn classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from featbank.errors import ProbeError
from featbank.knn.search import nearest, unit_norm
from featbank.knn.vote import vote, vote_labels
from featbank.probes._labelled_classifier import LabelledClassifier

if TYPE_CHECKING:
    from featbank.image import Array


class KnnClassifier(LabelledClassifier):
    """Softmax-weighted vote of the k training samples most similar by cosine, in float64.

    With several labels a sample, each neighbour votes with its whole vector of labels, and the
    weights sum to 1: the probability of a label is the weight of the neighbours that bear it.

    Args:
        k: Neighbours that vote, in [1, number of training samples].
        temperature: Softmax temperature of the votes, > 0.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        features_: (N, D) unit-norm training features.
        codes_: (N,) class indices or (N, K) 0 and 1 of the training samples.
    """

    def __init__(self, k: int = 20, temperature: float = 0.07) -> None:
        self.k = k
        self.temperature = temperature

    def fit(self, X: Array, y: Array) -> KnnClassifier:
        """Keep the training features and labels.

        Args:
            X: (N, D) finite features; their norms do not matter.
            y: (N,) labels, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ProbeError: There are fewer than k samples, or the temperature is not positive.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        X, self.codes_ = self._read(X, y, np.float64)
        self._check(len(X))
        self.features_ = unit_norm(X)
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K) of features (N, D); rows of one class a sample sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        similarity, index = nearest(unit_norm(X), self.features_, k=self.k)
        if self.multilabel_:
            return vote_labels(similarity, index, self.codes_, temperature=self.temperature)
        return vote(
            similarity,
            self.codes_[index],
            classes=len(self.classes_),
            k=self.k,
            temperature=self.temperature,
        )

    def _check(self, n_samples: int) -> None:
        if not 1 <= self.k <= n_samples:
            raise ProbeError(
                "k",
                f"it is {self.k} and the training set has n_samples = {n_samples}",
                "a number in [1, n_samples]",
                "Pass a smaller k.",
            )
        if not self.temperature > 0:
            raise ProbeError(
                "temperature", f"it is {self.temperature}", "a number > 0", "Pass 0.07."
            )
