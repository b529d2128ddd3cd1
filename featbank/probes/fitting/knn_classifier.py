"""The k-nearest-neighbour probe as a scikit-learn classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from featbank.errors import ProbeError
from featbank.knn.bank import PreparedBank, prepare
from featbank.knn.space import COSINE, EUCLIDEAN, CosineSpace, EuclideanSpace
from featbank.knn.vote import SOFTMAX, Weighting, neighbour_weights, vote, vote_labels
from featbank.probes.fitting.labelled_classifier import LabelledClassifier
from featbank.probes.fitting.neighbour_search import NeighbourSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array
    from featbank.knn.space import Space


class KnnClassifier(LabelledClassifier):
    """Weighted vote of the k training samples nearest to each sample, found exactly.

    With several labels a sample, each neighbour votes with its whole vector of labels: the
    probability of a label is the weight of the neighbours that bear it.

    Args:
        k: Neighbours that vote, in [1, number of training samples].
        temperature: Temperature of the votes, > 0; ``uniform`` votes do not use it.
        weights: ``softmax`` and ``exp`` of similarity / temperature, or ``uniform``.
        metric: ``cosine``, or ``euclidean`` on raw features, whose similarity is minus the
            distance.
        normalise_over: Neighbours over which a softmax is normalised before it is truncated to k,
            at least k and no more than there are samples; None takes k. DINOv2 takes 200, so that
            rows of smaller k sum to less than 1, which the most probable class does not feel.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        codes_: (N,) class indices or (N, K) 0 and 1 of the training samples.
        features_: (N, D) float32 training features on the grid of ``featbank.knn.space``.
        center_: (D,) float64 subtracted from features, for the Euclidean metric.
        scale_: What differences are divided by, for the Euclidean metric.
    """

    def __init__(
        self,
        k: int = 20,
        temperature: float = 0.07,
        weights: str = SOFTMAX,
        metric: str = COSINE,
        normalise_over: int | None = None,
    ) -> None:
        self.k = k
        self.temperature = temperature
        self.weights = weights
        self.metric = metric
        self.normalise_over = normalise_over

    def fit(self, X: Array, y: Array) -> KnnClassifier:
        """Keep the training features and labels.

        Args:
            X: (N, D) finite features; float32 is taken without a copy in float64.
            y: (N,) labels, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ProbeError: There are fewer than k samples, or a parameter is out of range.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        return self.fit_shared(X, y, None)

    def fit_shared(self, X: Array, y: Array, search: NeighbourSearch | None) -> KnnClassifier:
        """Fit with a search over the same features that another classifier made.

        Args:
            X: (N, D) finite features.
            y: Their labels.
            search: Over the same features and metric, which then need not be put in order again;
                None makes one.
        """
        X, self.codes_ = self._read(X, y, np.float32)
        self._check(len(X))
        self._search = search or NeighbourSearch(prepare(X, self.metric))
        bank = self._search.bank
        self.features_ = bank.rows
        if isinstance(bank.space, EuclideanSpace):
            self.center_, self.scale_ = bank.space.center, bank.space.scale
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K) of features (N, D); rows of one class a sample sum to 1.

        A softmax that is normalised over more than k neighbours leaves rows below 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        search = getattr(self, "_search", None) or NeighbourSearch(self._bank())
        values, index = search.nearest(X, self.considered(len(self.codes_)))
        similarity = -values if self.metric == EUCLIDEAN else values
        how = Weighting(k=self.k, temperature=self.temperature, weights=self.weights)
        if self.multilabel_:
            return vote_labels(similarity, index, self.codes_, how)
        return vote(similarity, self.codes_[index], len(self.classes_), how)

    def _bank(self) -> PreparedBank:
        """The bank of a probe that was read from a file, where just the arrays are kept."""
        space: Space = CosineSpace()
        if self.metric == EUCLIDEAN:
            space = EuclideanSpace(center=self.center_, scale=self.scale_)
        return PreparedBank(rows=self.features_, space=space)

    def considered(self, n_samples: int) -> int:
        """Neighbours that the weights are normalised over."""
        if self.weights != SOFTMAX or self.normalise_over is None:
            return self.k
        return min(max(self.normalise_over, self.k), n_samples)

    def _check(self, n_samples: int) -> None:
        if not 1 <= self.k <= n_samples:
            raise ProbeError(
                "k",
                f"it is {self.k} and the training set has n_samples = {n_samples}",
                "a number in [1, n_samples]",
                "Pass a smaller k.",
            )
        how = Weighting(k=self.k, temperature=self.temperature, weights=self.weights)
        neighbour_weights(np.zeros((0, self.k)), how)


def shared_search(classifiers: Sequence[KnnClassifier], X: Array) -> NeighbourSearch:
    """A search over (N, D) features for classifiers of one metric, at their greatest k."""
    X = check_array(X, dtype=np.float32)
    most = max(classifier.considered(len(X)) for classifier in classifiers)
    return NeighbourSearch(prepare(X, classifiers[0].metric), at_least=most)
