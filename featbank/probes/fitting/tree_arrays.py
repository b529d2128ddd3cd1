"""A fitted forest as plain arrays, and its prediction for many samples and trees at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from featbank.image import Array

NODE_BYTES = 16
VALUE_BYTES = 4
# Samples times trees that walk at once: their positions and one block of features stay in cache.
_WALKERS = 65_536


@dataclass(frozen=True, kw_only=True)
class TreeArrays:
    """The nodes of all trees, one tree after the other.

    Attributes:
        roots: (T,) int32 node that each tree starts at.
        feature: (M,) int32 column that a node asks about; -1 at leaves.
        threshold: (M,) float32; a sample goes left where its feature is no greater.
        left: (M,) int32 left child; at leaves the row of its values.
        right: (M,) int32 right child; at leaves -1.
        values: (V, K) float32 share of each class, or of each label's yes, at each leaf.
    """

    roots: Array
    feature: Array
    threshold: Array
    left: Array
    right: Array
    values: Array

    def predict(self, X: Array) -> Array:
        """Mean shares (N, K) float64 over the trees, of float32 features (N, D).

        Shares have 24 digits and sums of up to 2,048 trees fit into 53, so that no order of
        summation changes them.
        """
        step = max(1, _WALKERS // len(self.roots))
        found = np.empty((len(X), self.values.shape[1]))
        for start in range(0, len(X), step):
            rows = slice(start, start + step)
            shares = self.values[self._leaves(X[rows])]
            found[rows] = shares.sum(axis=1, dtype=np.float64)
        found /= len(self.roots)
        return found

    def _leaves(self, X: Array) -> Array:
        """Row of values (n, T) that each sample reaches in each tree."""
        (n, dim), trees = X.shape, len(self.roots)
        flat = np.ascontiguousarray(X).reshape(-1)
        reached = np.empty(n * trees, dtype=np.int32)
        walker, node = np.arange(n * trees), np.tile(self.roots, n)
        first = np.repeat(np.arange(n) * dim, trees)
        while len(walker):
            feature = self.feature[node]
            ended = feature < 0
            if ended.any():
                reached[walker[ended]] = self.left[node[ended]]
                walker, node, first, feature = (a[~ended] for a in (walker, node, first, feature))
            is_left = flat[first + feature] <= self.threshold[node]
            node = np.where(is_left, self.left[node], self.right[node])
        return reached.reshape(n, trees)


def gather(trees: Iterable[Any], classes: list[Array]) -> TreeArrays:
    """Arrays of scikit-learn's fitted trees, which may come one by one and be dropped after.

    Args:
        trees: ``DecisionTreeClassifier`` of one class a sample or of several labels.
        classes: Values of each output as the forest lists them: of the one output with K classes,
            or of K labels.
    """
    parts, roots = list(_converted(trees, classes)), [0]
    rows = 0
    for part in parts:
        # A child's number and a leaf's row are counted from the start of their own tree so far.
        is_leaf = part.feature < 0
        part.left[:] += np.where(is_leaf, rows, roots[-1]).astype(np.int32)
        part.right[~is_leaf] += roots[-1]
        rows += len(part.values)
        roots.append(roots[-1] + len(part.feature))
    names = ("feature", "threshold", "left", "right", "values")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return TreeArrays(roots=np.array(roots[:-1], dtype=np.int32), **joined)


def _converted(trees: Iterable[Any], classes: list[Array]) -> Iterator[TreeArrays]:
    for estimator in trees:
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        left = np.where(is_leaf, np.cumsum(is_leaf) - 1, tree.children_left)
        yield TreeArrays(
            roots=np.zeros(1, dtype=np.int32),
            feature=np.where(is_leaf, -1, tree.feature).astype(np.int32),
            threshold=_rounded_down(tree.threshold),
            left=left.astype(np.int32),
            right=tree.children_right.astype(np.int32),
            values=_shares(tree.value[is_leaf], classes).astype(np.float32),
        )


def _rounded_down(thresholds: Array) -> Array:
    """The greatest float32 no greater: float32 features compare with it as with the float64."""
    nearest = thresholds.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > thresholds, below, nearest)


def _shares(values: Array, classes: list[Array]) -> Array:
    """(V, outputs, classes) shares of scikit-learn as (V, K) of classes, or of labels' yes."""
    if len(classes) == 1:
        return values[:, 0]
    # A label that is constant in training has one column, of the only value seen.
    columns = [
        values[:, k, 1] if len(c) > 1 else c[0] * values[:, k, 0] for k, c in enumerate(classes)
    ]
    return np.stack(columns, axis=1)
