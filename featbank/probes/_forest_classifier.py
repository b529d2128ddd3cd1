"""The random forest probe as a scikit-learn classifier, of bounded memory."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from featbank.probes._labelled_classifier import LabelledClassifier

if TYPE_CHECKING:
    from featbank.image import Array

_PREDICT_ROWS = 4096  # rows predicted at once by one thread
_NODE_BYTES = 64  # scikit-learn's record of a node: children, feature, threshold, impurity, counts


class ForestClassifier(LabelledClassifier):
    """scikit-learn's random forest; with several labels a sample, one forest for all labels.

    Trees are bounded, or the forest of a large set fills the memory: a tree has at most
    ``max_leaves`` leaves, so 2 ``max_leaves`` - 1 nodes, each with a record of 64 bytes and a
    float64 for each class (for each yes and no of each label). The forest thus takes at most

        trees x (2 max_leaves - 1) x (64 + 8 V) bytes,  V = K classes, or 2 K for labels,

    (and about 2 kB a tree of Python's own records), whatever the number of samples: 75 MB for 100
    trees of 1,024 leaves and 19 labels. Features are shared by all trees, in float32, without a
    copy.

    Args:
        trees: Trees of the forest.
        max_leaves: Leaves of a tree at most, best first.
        max_samples: Samples that a tree draws at most, with replacement; bounds the time.
        random_state: Seed of the draws.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        model_: The fitted ``sklearn.ensemble.RandomForestClassifier``.
    """

    def __init__(
        self,
        trees: int = 100,
        max_leaves: int = 1024,
        max_samples: int = 20_000,
        random_state: int = 0,
    ) -> None:
        self.trees = trees
        self.max_leaves = max_leaves
        self.max_samples = max_samples
        self.random_state = random_state

    def fit(self, X: Array, y: Array) -> ForestClassifier:
        """Grow the trees.

        Args:
            X: (N, D) finite features; float32 in rows is taken without a copy.
            y: (N,) labels, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        X, codes = self._read(X, y, np.float32)
        self.model_ = RandomForestClassifier(
            n_estimators=self.trees,
            max_leaf_nodes=self.max_leaves,
            max_samples=min(self.max_samples, len(X)),
            n_jobs=cores(),
            random_state=self.random_state,
        ).fit(X, codes)
        # Threads of one forest add up their trees in any order, and sums then differ in the last
        # digit: rows are spread over threads instead.
        self.model_.n_jobs = 1
        return self

    def predict_proba(self, X: Array) -> Array:
        """Shares of trees' votes (N, K) of features (N, D); rows of one class sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        blocks = [X[i : i + _PREDICT_ROWS] for i in range(0, len(X), _PREDICT_ROWS)]
        with ThreadPoolExecutor(cores()) as pool:
            return np.concatenate(list(pool.map(self._votes, blocks)))

    def _votes(self, X: Array) -> Array:
        votes = self.model_.predict_proba(X)
        if not self.multilabel_:
            return np.asarray(votes)
        columns = zip(votes, self.model_.classes_, strict=True)
        # A label that is constant in training has one column, of the only value seen.
        return np.stack([v[:, 1] if len(c) > 1 else c[0] * v[:, 0] for v, c in columns], axis=1)


def forest_bytes(*, trees: int, max_leaves: int, n_classes: int, multilabel: bool) -> int:
    """Bytes that a fitted forest takes at most, as ``ForestClassifier`` states it."""
    values = 2 * n_classes if multilabel else n_classes
    return trees * (2 * max_leaves - 1) * (_NODE_BYTES + 8 * values)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
