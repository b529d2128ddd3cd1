"""The MLP probe as a scikit-learn classifier: one hidden layer on standardised features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import erf, expit
from sklearn.utils.validation import check_is_fitted, validate_data

from featbank.knn.vote import softmax
from featbank.probes.fitting.grid_fit import share_reading
from featbank.probes.fitting.labelled_classifier import LabelledClassifier, constant_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array
    from featbank.probes.fitting.mlp_watch import TrainedNetwork

_PREDICT_NUMBERS = 2**22  # features or hidden units predicted at once: 32 MB in float64


class MlpClassifier(LabelledClassifier):
    """Linear, GELU, dropout, linear, by AdamW with a cosine schedule.

    Features are standardised by mean and deviation of the training samples. The loss is softmax
    cross-entropy; with several labels a sample, the mean binary cross-entropy of the labels. On
    CUDA, products of batches that are not tiny are in bfloat16.

    Args:
        hidden: Units of the hidden layer.
        dropout: Share of hidden units dropped in training, in [0, 1).
        lr: Learning rate at the first step.
        weight_decay: AdamW's.
        batch_size: Samples of a step.
        epochs: Passes over the samples.
        min_steps: Steps at least, however few samples there are.
        patience: Passes without a lower loss on held-out samples after which training stops; the
            weights of the lowest loss are kept. None trains on all samples to the last step.
        validation_share: Share of the samples held out to be watched, in (0, 1), of each class
            where a sample has one; only with ``patience``.
        class_weight: ``balanced`` lets rare classes count as much as common ones: classes by
            inverse frequency, the yes of a label by negatives / positives, at most 100. Or a
            weight for each label, 1 where none is named; or None.
        focal: Exponent of the focal loss, > 0, 2.0 in the paper; None is cross-entropy.
        random_state: Seed of weights, order of samples, dropout and held-out samples, >= 0.

    Attributes:
        classes_: (K,) labels in sorted order.
        multilabel_: Whether a sample may bear several labels.
        mean_: (D,) means of the training features.
        scale_: (D,) deviations of the training features, 1 where they are constant.
        weights_: Float64 weights and biases of the two layers, under PyTorch's names.
        certain_: (K,) 0 or 1 where a label is constant in training, else NaN.
        epochs_: Passes begun.
        best_epoch_: The pass, from 1, whose weights are kept; the last without ``patience``.

    References:
        Lin et al. 2017, arXiv:1708.02002, eq. 4: the focal loss.
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
        patience: int | None = None,
        validation_share: float = 0.1,
        class_weight: str | Mapping[Any, float] | None = None,
        focal: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.dropout = dropout
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.min_steps = min_steps
        self.patience = patience
        self.validation_share = validation_share
        self.class_weight = class_weight
        self.focal = focal
        self.random_state = random_state

    def fit(self, X: Array, y: Array) -> MlpClassifier:
        """Fit the network.

        Args:
            X: (N, D) finite features.
            y: (N,) labels, or (N, K) 0 and 1.

        Returns:
            The classifier itself.

        Raises:
            ProbeError: An option is out of its range.
            ValueError: The features are not finite numbers, or y is not a classification target.
        """
        from featbank.probes.fitting.mlp_grid import fit_networks

        return next(fit_networks([self], X, y))

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K) of features (N, D), in float64; rows of one class sum to 1.

        Raises:
            ValueError: The features are not finite, or D is not that of the fit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        rows = max(1, _PREDICT_NUMBERS // max(X.shape[1], self.hidden))
        scores = np.concatenate([self._scores(X[i : i + rows]) for i in range(0, len(X), rows)])
        if not self.multilabel_:
            return softmax(scores)
        return np.where(np.isnan(self.certain_), expit(scores), self.certain_)

    def read(self, X: Array, y: Array) -> tuple[Array, Array]:
        """Check samples and set what is known of them before training.

        Returns:
            (N, D) standardised features, float32, and (N,) class indices or (N, K) 0 and 1.
        """
        X, codes = self._read(X, y, np.float32)
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        deviation = X.std(axis=0, dtype=np.float64)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        self.certain_ = np.full(len(self.classes_), np.nan)
        if self.multilabel_:
            is_constant, share = constant_labels(codes)
            self.certain_[is_constant] = share[is_constant]
        # In float32 throughout: a large set in float64 would take thrice its memory.
        standardised = X - self.mean_.astype(np.float32)
        standardised /= self.scale_.astype(np.float32)
        return standardised, codes

    def keep(self, trained: TrainedNetwork, reader: MlpClassifier) -> None:
        """Take over a trained network and what another classifier read of its samples."""
        share_reading(reader, [self])
        for name in ("mean_", "scale_", "certain_"):
            setattr(self, name, getattr(reader, name).copy())
        names = ("0.weight", "0.bias", "3.weight", "3.bias")
        self.weights_ = {
            name: tensor.numpy().astype(np.float64)
            for name, tensor in zip(names, trained.weights, strict=True)
        }
        self.epochs_, self.best_epoch_ = trained.epochs, trained.best_epoch

    def _scores(self, X: Array) -> Array:
        """Logits (N, K), in float64: batches of any size then agree to the last digits."""
        w = self.weights_
        hidden = (X - self.mean_) / self.scale_ @ w["0.weight"].T + w["0.bias"]
        hidden *= 0.5 * (1 + erf(hidden / np.sqrt(2)))
        scores: Array = hidden @ w["3.weight"].T + w["3.bias"]
        return scores
