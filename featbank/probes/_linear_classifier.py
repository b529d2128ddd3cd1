"""The linear probe as a scikit-learn classifier: softmax or sigmoid scores, by plain SGD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted, validate_data

from featbank.knn.vote import softmax
from featbank.probes._labelled_classifier import LabelledClassifier, constant_labels
from featbank.probes._sgd import batches, cosine, device, few_threads, step_count

if TYPE_CHECKING:
    from featbank.image import Array

MOMENTUM = 0.9  # dinov2/eval/linear.py
INIT_STD = 0.01  # dinov2/eval/linear.py: weights N(0, .01), biases 0
REFERENCE_BATCH = 256  # dinov2/eval/linear.py: rates are per 256 samples of a batch


class LinearClassifier(LabelledClassifier):
    """One linear layer by SGD with momentum and a cosine schedule, in float32, on raw features.

    The loss is softmax cross-entropy; with several labels a sample, binary cross-entropy summed
    over the labels, so that a logit's gradient is of the same size in both. No weight decay: the
    learning rate, chosen on validation, and the number of steps are what regularises. A rate at
    which the weights run off to infinity gives probabilities of NaN, which a sweep leaves out.

    Args:
        lr: Learning rate for a batch of 256; multiplied by batch / 256.
        batch_size: Samples of a step.
        epochs: Passes over the samples.
        min_steps: Steps at least, however few samples there are.
        random_state: Seed of the weights and of the order of samples.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        coef_: (K, D) float64 weights.
        intercept_: (K,) float64 intercepts; -inf or inf for a label that is constant.
    """

    def __init__(
        self,
        lr: float = 0.01,
        batch_size: int = 256,
        epochs: int = 10,
        min_steps: int = 1000,
        random_state: int = 0,
    ) -> None:
        self.lr = lr
        self.batch_size = batch_size
        self.epochs = epochs
        self.min_steps = min_steps
        self.random_state = random_state

    def fit(self, X: Array, y: Array) -> LinearClassifier:
        """Fit the weights.

        Args:
            X: (N, D) finite features.
            y: (N,) labels, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        X, codes = self._read(X, y, np.float32)
        targets = _targets(codes, len(self.classes_))
        with few_threads(self.batch_size * X.shape[1] * targets.shape[1]):
            # A copy only where the features may not be written: PyTorch warns of such arrays.
            features = torch.from_numpy(np.require(X, requirements="W"))
            weights, biases = self._descend(features, targets)
        self.coef_ = weights.T.cpu().numpy().astype(np.float64)
        self.intercept_ = biases.cpu().numpy().astype(np.float64)
        if not (np.isfinite(self.coef_).all() and np.isfinite(self.intercept_).all()):
            # Infinite weights would give numbers for some samples; NaN gives none for any.
            self.coef_[:], self.intercept_[:] = np.nan, np.nan
        if self.multilabel_:
            is_constant, share = constant_labels(codes)
            self.coef_[is_constant] = 0
            self.intercept_[is_constant] = np.where(share > 0, np.inf, -np.inf)[is_constant]
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K) of features (N, D), in float64; rows of one class sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scores = X @ self.coef_.T + self.intercept_
        return np.asarray(expit(scores)) if self.multilabel_ else softmax(scores)

    def _descend(self, X: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights (D, K) and biases (K,) after all steps; gradients are written out by hand."""
        generator = torch.Generator().manual_seed(self.random_state)
        size = min(self.batch_size, len(X))
        steps = step_count(len(X), batch_size=size, epochs=self.epochs, min_steps=self.min_steps)
        place = device()
        X, targets = X.to(place), targets.to(place)
        W = INIT_STD * torch.randn(X.shape[1], targets.shape[1], generator=generator)
        W, b = W.to(place), torch.zeros(targets.shape[1], device=place)
        velocity_W, velocity_b = torch.zeros_like(W), torch.zeros_like(b)
        order = batches(len(X), batch_size=size, steps=steps, generator=generator)
        for step, rows in enumerate(order):
            x, t = X[rows.to(place)], targets[rows.to(place)]
            scores = torch.addmm(b, x, W)
            p = scores.sigmoid() if self.multilabel_ else scores.softmax(dim=1)
            # d loss / d scores of both cross-entropies, averaged over the batch
            error = (p - t) / size
            rate = self.lr * size / REFERENCE_BATCH * cosine(step, steps)
            W -= rate * velocity_W.mul_(MOMENTUM).addmm_(x.T, error)
            b -= rate * velocity_b.mul_(MOMENTUM).add_(error.sum(dim=0))
        return W, b


def _targets(codes: Array, n_classes: int) -> torch.Tensor:
    """(N, K) float32 0 and 1."""
    if codes.ndim == 1:
        codes = np.eye(n_classes, dtype=np.float32)[codes]
    return torch.from_numpy(codes.astype(np.float32))
