"""The MLP probe as a scikit-learn classifier: one hidden layer on standardised features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import erf, expit
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn
from torch.nn import functional as F

from featbank.knn.vote import softmax
from featbank.probes._labelled_classifier import LabelledClassifier, constant_labels
from featbank.probes._sgd import batches, cosine, device, few_threads, step_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array

_PREDICT_ROWS = 8192  # rows predicted at once: 32 MB of hidden numbers at 512 units


class MlpClassifier(LabelledClassifier):
    """Linear, GELU, dropout, linear, by AdamW with a cosine schedule.

    Features are standardised by mean and deviation of the training samples. The loss is softmax
    cross-entropy; with several labels a sample, the mean binary cross-entropy of the labels.

    Args:
        hidden: Units of the hidden layer.
        dropout: Share of hidden units dropped in training, in [0, 1).
        lr: Learning rate at the first step.
        weight_decay: AdamW's.
        batch_size: Samples of a step.
        epochs: Passes over the samples.
        min_steps: Steps at least, however few samples there are.
        random_state: Seed of weights, order of samples and dropout.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        mean_: (D,) means of the training features.
        scale_: (D,) deviations of the training features, 1 where they are constant.
        weights_: Float64 weights and biases of the two layers, under PyTorch's names.
        certain_: (K,) 0 or 1 where a label is constant in training, else NaN.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn: parameters are constructor arguments
        self,
        hidden: int = 512,
        dropout: float = 0.5,
        lr: float = 1e-3,
        weight_decay: float = 0.01,
        batch_size: int = 256,
        epochs: int = 10,
        min_steps: int = 500,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.dropout = dropout
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.min_steps = min_steps
        self.random_state = random_state

    def fit(self, X: Array, y: Array) -> MlpClassifier:
        """Fit the network.

        Args:
            X: (N, D) finite features.
            y: (N,) labels, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        X, codes = self._read(X, y, np.float32)
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        deviation = X.std(axis=0, dtype=np.float64)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        self.certain_ = np.full(len(self.classes_), np.nan)
        if self.multilabel_:
            is_constant, share = constant_labels(codes)
            self.certain_[is_constant] = share[is_constant]
        place = device()
        widest = self.batch_size * self.hidden * max(X.shape[1], len(self.classes_))
        devices = [place] if place.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), few_threads(widest):
            torch.manual_seed(self.random_state)
            state = self._train(X, codes, place)
        self.weights_ = {
            name: tensor.cpu().numpy().astype(np.float64) for name, tensor in state.items()
        }
        return self

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K) of features (N, D), in float64; rows of one class sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        starts = range(0, len(X), _PREDICT_ROWS)
        scores = np.concatenate([self._scores(X[i : i + _PREDICT_ROWS]) for i in starts])
        if not self.multilabel_:
            return softmax(scores)
        return np.where(np.isnan(self.certain_), expit(scores), self.certain_)

    def _train(self, X: Array, codes: Array, place: torch.device) -> Mapping[str, torch.Tensor]:
        # In float32 throughout: a large set in float64 would take thrice its memory.
        standardised = X - self.mean_.astype(np.float32)
        standardised /= self.scale_.astype(np.float32)
        features = torch.from_numpy(standardised).to(place)
        targets = torch.from_numpy(
            codes.astype(np.float32) if self.multilabel_ else codes.astype(np.int64)
        ).to(place)
        network = self._network(X.shape[1]).to(place)
        loss = F.binary_cross_entropy_with_logits if self.multilabel_ else F.cross_entropy
        steps = step_count(
            len(X), batch_size=self.batch_size, epochs=self.epochs, min_steps=self.min_steps
        )
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=self.lr, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine(step, steps))
        generator = torch.Generator().manual_seed(self.random_state)
        order = batches(len(X), batch_size=self.batch_size, steps=steps, generator=generator)
        for rows in order:
            chosen = rows.to(place)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss(network(features[chosen]), targets[chosen]))
            optimizer.step()
            schedule.step()
        return network.state_dict()

    def _network(self, dim: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(dim, self.hidden),
            nn.GELU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.hidden, len(self.classes_)),
        )

    def _scores(self, X: Array) -> Array:
        """Logits (N, K), in float64: batches of any size then agree to the last digits."""
        w = self.weights_
        hidden = (X - self.mean_) / self.scale_ @ w["0.weight"].T + w["0.bias"]
        hidden *= 0.5 * (1 + erf(hidden / np.sqrt(2)))
        scores: Array = hidden @ w["3.weight"].T + w["3.bias"]
        return scores
