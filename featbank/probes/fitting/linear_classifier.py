"""The linear probe as a scikit-learn classifier: softmax or sigmoid scores, by plain SGD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted, validate_data

from featbank.errors import ProbeError
from featbank.knn.vote import softmax
from featbank.probes.fitting.grid_fit import fitted_in_order, grouped, share_reading
from featbank.probes.fitting.labelled_classifier import LabelledClassifier, constant_labels
from featbank.probes.fitting.linear_heads import descend
from featbank.probes.fitting.sgd import Batching, step_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.image import Array
    from featbank.probes.fitting.linear_heads import Columns
    from featbank.probes.probe import Classifier

_PREDICT_NUMBERS = 2**23  # features predicted at once: 64 MB in float64
_GROUP_NUMBERS = 2**26  # weights trained at once: 256 MB, and as many of their velocities


class LinearClassifier(LabelledClassifier):
    """One linear layer by SGD with momentum and a cosine schedule, in float32, on raw features.

    The loss is softmax cross-entropy; with several labels a sample, binary cross-entropy summed
    over the labels, so that a logit's gradient is of the same size in both. No weight decay: the
    learning rate, chosen on validation, and the number of steps are what regularises. A rate at
    which the weights run off to infinity gives probabilities of NaN, which a sweep leaves out.

    Args:
        lr: Learning rate for a batch of 256; multiplied by batch / 256.
        batch_size: Samples of a step; all of them where there are fewer, unless batches run
            across passes.
        epochs: Passes over the samples.
        min_steps: Steps at least, however few samples there are.
        steps: Steps in all, whatever ``epochs`` and ``min_steps`` say; None lets them decide.
        across_passes: Whether a batch that a pass does not fill goes on with the next one; a set
            smaller than a batch then keeps the batch, some samples twice in it, and its rate.
        columns: (start, stop) pairs of the feature columns that the layer sees, in their order;
            None is all. ``fit`` and ``predict_proba`` take all D columns all the same.
        random_state: Seed of the weights and of the order of samples, >= 0.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        coef_: (K, d) float64 weights of the d columns that are seen.
        intercept_: (K,) float64 intercepts; -inf or inf for a label that is constant.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's contract: each parameter by name
        self,
        lr: float = 0.01,
        batch_size: int = 256,
        epochs: int = 10,
        min_steps: int = 1000,
        steps: int | None = None,
        across_passes: bool = False,
        columns: Sequence[Sequence[int]] | None = None,
        random_state: int = 0,
    ) -> None:
        self.lr = lr
        self.batch_size = batch_size
        self.epochs = epochs
        self.min_steps = min_steps
        self.steps = steps
        self.across_passes = across_passes
        self.columns = columns
        self.random_state = random_state

    def fit(self, X: Array, y: Array) -> LinearClassifier:
        """Fit the weights.

        Args:
            X: (N, D) finite features.
            y: (N,) labels, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ProbeError: The columns are not among the D.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        return next(fit_heads([self], X, y))

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K) of features (N, D), in float64; rows of one class sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        rows = max(1, _PREDICT_NUMBERS // X.shape[1])
        scores = np.concatenate([self._scores(X[i : i + rows]) for i in range(0, len(X), rows)])
        return np.asarray(expit(scores)) if self.multilabel_ else softmax(scores)

    def _scores(self, X: Array) -> Array:
        """Logits (N, K), in float64: batches of any size then agree to the last digits."""
        seen = np.concatenate([X[:, start:stop] for start, stop in self._columns()], axis=1)
        scores: Array = seen.astype(np.float64, copy=False) @ self.coef_.T + self.intercept_
        return scores

    def _columns(self) -> Columns:
        """The (start, stop) pairs, of all columns where none are named."""
        dim = self.n_features_in_
        if self.columns is None:
            return ((0, dim),)
        pairs = tuple((int(start), int(stop)) for start, stop in self.columns)
        if not pairs or not all(0 <= start < stop <= dim for start, stop in pairs):
            raise ProbeError(
                "columns",
                f"{list(pairs)} are not among the {dim} feature columns",
                f"pairs of start and stop with 0 <= start < stop <= {dim}",
                "Name columns of the features that are fitted, or leave them out for all.",
            )
        return pairs

    def _keep(self, weights: torch.Tensor, biases: torch.Tensor, codes: Array) -> None:
        self.coef_ = weights.numpy().astype(np.float64)
        self.intercept_ = biases.numpy().astype(np.float64)
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_).all()):
            # Infinite weights would give numbers for some samples; NaN gives none for any.
            self.coef_[:], self.intercept_[:] = np.nan, np.nan
        if self.multilabel_:
            is_constant, share = constant_labels(codes)
            self.coef_[is_constant] = 0
            self.intercept_[is_constant] = np.where(share > 0, np.inf, -np.inf)[is_constant]


def fit_heads(heads: Sequence[LinearClassifier], X: Array, y: Array) -> Iterator[LinearClassifier]:
    """Fit many classifiers on the same samples, those that take equal batches in one pass.

    Each ends as if it were fitted alone, within the rounding of float32 products; at rates where
    the loss swings instead of falling, rounding grows with the steps.

    Args:
        heads: Unfitted, with any parameters.
        X: (N, D) finite features.
        y: (N,) labels, or (N, K) 0 and 1.

    Yields:
        The classifiers in order; a pass is made when its first one is asked for.

    Raises:
        ProbeError: A classifier's columns are not among the D.
        ValueError: The features are not finite numbers, or y is not a classification target.
    """
    if not heads:
        return
    X, codes = heads[0]._read(X, y, np.float32)
    share_reading(heads[0], heads[1:])
    # A copy only where the features may not be written: PyTorch warns of such arrays.
    features = torch.from_numpy(np.require(X, requirements="W"))
    yield from fitted_in_order(
        heads, _groups(heads), lambda group: _fit_group(group, features, codes)
    )


def _groups(heads: Sequence[LinearClassifier]) -> list[list[int]]:
    """Heads that take equal batches, in parts of at most ``_GROUP_NUMBERS`` weights."""
    names = ("random_state", "batch_size", "epochs", "min_steps", "steps", "across_passes")
    keys = [tuple(getattr(head, name) for name in names) for head in heads]
    dims = [sum(stop - start for start, stop in head._columns()) for head in heads]
    sizes = [dim * len(heads[0].classes_) for dim in dims]
    return grouped(keys, sizes, bound=_GROUP_NUMBERS)


def _fit_group(group: list[LinearClassifier], X: torch.Tensor, codes: Array) -> None:
    first = group[0]
    passes = {name: getattr(first, name) for name in ("batch_size", "epochs", "min_steps")}
    by_columns: dict[Columns, list[LinearClassifier]] = {}
    for head in group:
        by_columns.setdefault(head._columns(), []).append(head)
    fitted = descend(
        X,
        torch.from_numpy(codes),
        {columns: [head.lr for head in heads] for columns, heads in by_columns.items()},
        n_classes=len(first.classes_),
        batching=Batching(
            size=first.batch_size,
            steps=step_count(len(X), **passes) if first.steps is None else first.steps,
            across_passes=first.across_passes,
        ),
        seed=first.random_state,
    )
    for columns, heads in by_columns.items():
        for head, (weights, biases) in zip(heads, fitted[columns], strict=True):
            head._keep(weights, biases, codes)


def from_weights(coef: Array, intercept: Array, classes: Array, *, multilabel: bool) -> Classifier:
    """A classifier with weights that were trained elsewhere.

    Args:
        coef: (K, D) weights.
        intercept: (K,) intercepts.
        classes: (K,) labels in sorted order.
        multilabel: Whether a sample may bear several labels.
    """
    head = LinearClassifier()
    head.coef_ = np.asarray(coef, dtype=np.float64)
    head.intercept_ = np.asarray(intercept, dtype=np.float64)
    head.classes_, head.multilabel_ = np.asarray(classes), multilabel
    head.n_features_in_ = head.coef_.shape[1]
    return head
