"""The forest probe as a scikit-learn classifier, of bounded memory and kept as plain arrays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from featbank.catalog import suggest
from featbank.errors import UnknownNameError
from featbank.knn.search import cores
from featbank.probes.fitting.labelled_classifier import LabelledClassifier, few_samples_a_class
from featbank.probes.fitting.tree_arrays import NODE_BYTES, VALUE_BYTES, TreeArrays, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from featbank.image import Array

EXTRA_TREES, RANDOM_FOREST = "extra-trees", "random-forest"
KINDS = (EXTRA_TREES, RANDOM_FOREST)
_PREDICT_ROWS = 1024  # rows predicted at once by one thread
_GROWN_AT_ONCE = 16  # trees that stand as scikit-learn's objects at any time
_SKLEARN_NODE_BYTES = 64  # its record of a node: children, feature, threshold, impurity, counts


class ForestClassifier(LabelledClassifier):
    """Extremely randomised trees, or a random forest; several labels share each tree.

    Trees are bounded, or the forest of a large set fills the memory. A tree has at most
    ``max_leaves`` leaves, so 2 ``max_leaves`` - 1 nodes; it is kept as a feature, a threshold and
    two children a node, 4 bytes each, and a float32 a leaf and class (or label). The forest takes
    at most

        trees x (16 (2 max_leaves - 1) + 4 K max_leaves) bytes,

    whatever the number of samples: 22 MB for 200 trees of 1,024 leaves and 19 labels. While it
    grows, 16 trees at a time are scikit-learn's, of 64 bytes a node and a float64 a node and class
    (or yes and no of a label). Features are shared by all trees, in float32, without a copy;
    scikit-learn makes a float64 copy of the labels.

    Args:
        kind: ``extra-trees``, whose splits are drawn at random, or ``random-forest``.
        trees: Trees of the forest.
        max_leaves: Leaves of a tree at most, best first.
        max_samples: Samples that a tree draws at most; bounds the time. Extra trees take all
            samples where there are no more; where there are, and in a random forest always, they
            are drawn with replacement.
        random_state: Seed of the draws.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        roots_: (T,) int32 first node of each tree among the M nodes of all.
        feature_: (M,) int32 column that a node asks about, -1 at leaves.
        threshold_: (M,) float32; samples go left where the feature is no greater.
        left_: (M,) int32 left child, at leaves the row of ``values_``.
        right_: (M,) int32 right child, at leaves -1.
        values_: (V, K) float32 shares of classes, or of labels' yes, at the leaves.
        progress: Called as the forest grows with how many trees stand and how many there will be;
            None by default. No parameter, since it does not change the result.

    References:
        Geurts et al. 2006, doi:10.1007/s10994-006-6226-1; Breiman 2001,
        doi:10.1023/A:1010933404324.
    """

    progress: Callable[[int, int], None] | None = None

    def __init__(
        self,
        kind: str = EXTRA_TREES,
        trees: int = 200,
        max_leaves: int = 1024,
        max_samples: int = 20_000,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
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
            UnknownNameError: No kind of forest has this name.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        X, codes = self._read(X, y, np.float32)
        forest = self._unfitted(len(X))
        values = [np.unique(column) for column in codes.T] if self.multilabel_ else [self.classes_]
        arrays = gather(self._grown(forest, X, codes), values)
        self.roots_, self.feature_, self.threshold_ = arrays.roots, arrays.feature, arrays.threshold
        self.left_, self.right_, self.values_ = arrays.left, arrays.right, arrays.values
        return self

    def predict_proba(self, X: Array) -> Array:
        """Mean shares over the trees (N, K) of features (N, D); rows of one class sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        arrays = TreeArrays(
            roots=self.roots_,
            feature=self.feature_,
            threshold=self.threshold_,
            left=self.left_,
            right=self.right_,
            values=self.values_,
        )
        blocks = [X[i : i + _PREDICT_ROWS] for i in range(0, len(X), _PREDICT_ROWS)]
        with ThreadPoolExecutor(cores()) as pool:
            return np.concatenate(list(pool.map(arrays.predict, blocks)))

    def _unfitted(self, n_samples: int) -> Any:  # noqa: ANN401 - scikit-learn is untyped
        if self.kind not in KINDS:
            raise UnknownNameError(
                str(self.kind),
                "no kind of forest has this name",
                f"one of {', '.join(KINDS)}",
                suggest(str(self.kind), KINDS),
            )
        draws = self.kind == RANDOM_FOREST or n_samples > self.max_samples
        make = ExtraTreesClassifier if self.kind == EXTRA_TREES else RandomForestClassifier
        return make(
            max_leaf_nodes=self.max_leaves,
            bootstrap=draws,
            max_samples=min(self.max_samples, n_samples) if draws else None,
            n_jobs=cores(),
            random_state=self.random_state,
            warm_start=True,
        )

    def _grown(self, forest: Any, X: Array, codes: Array) -> Iterator[Any]:  # noqa: ANN401
        """scikit-learn's trees, the same as of one fit, of which few stand at a time."""
        for first in range(0, self.trees, _GROWN_AT_ONCE):
            stop = min(first + _GROWN_AT_ONCE, self.trees)
            with few_samples_a_class():
                forest.set_params(n_estimators=stop).fit(X, codes)
            yield from forest.estimators_[first:]
            # A warm start counts the trees that stand and looks at none of them.
            forest.estimators_[first:] = [None] * (stop - first)
            if self.progress:
                self.progress(stop, self.trees)


def forest_bytes(*, trees: int, max_leaves: int, n_classes: int) -> int:
    """Bytes that a fitted forest takes at most, as ``ForestClassifier`` states it."""
    return trees * ((2 * max_leaves - 1) * NODE_BYTES + max_leaves * n_classes * VALUE_BYTES)


def growth_bytes(*, max_leaves: int, n_classes: int, multilabel: bool) -> int:
    """Bytes that scikit-learn's own trees take at most while the forest grows."""
    values = 2 * n_classes if multilabel else n_classes
    return _GROWN_AT_ONCE * (2 * max_leaves - 1) * (_SKLEARN_NODE_BYTES + 8 * values)
