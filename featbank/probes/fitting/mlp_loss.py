"""Cross-entropies of the MLP probe, weighted for rare classes, with gradients written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from featbank.image import Array

# A label borne by 1 sample in 1,000 would weigh 999: one such sample then makes every step its own.
MAX_POS_WEIGHT = 100.0


@dataclass(frozen=True, kw_only=True)
class MlpLoss:
    """Softmax cross-entropy, or with several labels a sample the labels' mean binary one.

    A sample's term is multiplied by its class's weight and, with focal loss, by (1 - q) ** gamma
    where q is the probability of the truth; terms are averaged over samples (and labels), not
    over their weights.

    Attributes:
        several: Whether a sample may bear several labels.
        weights: (K,) weight of each class, or of each label's yes against its no; None is 1.
        gamma: Focal loss's exponent, > 0; None is plain cross-entropy.

    References:
        Lin et al. 2017, arXiv:1708.02002, eq. 4 and 5.
    """

    several: bool
    weights: torch.Tensor | None = None
    gamma: float | None = None

    def to(self, place: torch.device) -> MlpLoss:
        """The same loss with its weights on another device."""
        weights = None if self.weights is None else self.weights.to(place)
        return replace(self, weights=weights)

    def value(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of each network: scores (..., B, K), targets (..., B, K) 0 and 1, to (...)."""
        log_q = self._log_truth(scores, targets)
        terms = -log_q * self._weight(targets)
        if self.gamma is not None:
            terms = terms * (-torch.expm1(log_q)) ** self.gamma
        return terms.mean(dim=(-1, -2))

    def error(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Derivative of ``value`` by the scores, of their shape."""
        p = scores.sigmoid() if self.several else scores.softmax(dim=-1)
        error = p.sub_(targets).div_(scores.shape[-2] * (scores.shape[-1] if self.several else 1))
        if self.weights is not None:
            error *= self._weight(targets)
        if self.gamma is not None:
            # With L = -(1 - q)^g log q: dL/ds = ((1 - q)^g - g (1 - q)^(g - 1) q log q) (p - t).
            log_q = self._log_truth(scores, targets)
            miss = (-torch.expm1(log_q)).clamp(min=torch.finfo(log_q.dtype).tiny)
            rise = self.gamma * miss ** (self.gamma - 1) * log_q.exp() * log_q
            error *= miss**self.gamma - rise
        return error

    def _log_truth(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Log probability of the truth: (..., B, K) of several labels, else (..., B, 1)."""
        if self.several:
            return torch.nn.functional.logsigmoid(scores * (2 * targets - 1))
        return (scores.log_softmax(dim=-1) * targets).sum(dim=-1, keepdim=True)

    def _weight(self, targets: torch.Tensor) -> torch.Tensor:
        """Weight of each term, of the shape of ``_log_truth``."""
        if self.weights is None:
            return torch.ones((), device=targets.device)
        if self.several:
            return 1 + (self.weights - 1) * targets
        return (self.weights * targets).sum(dim=-1, keepdim=True)


def balanced_weights(codes: Array, n_classes: int) -> Array:
    """Weights that make rare classes count as much as common ones.

    Args:
        codes: (N,) class indices, or (N, K) 0 and 1.
        n_classes: K.

    Returns:
        (K,) N / (K n_k) of class k with n_k samples; of several labels, negatives by positives,
        at most ``MAX_POS_WEIGHT``, 1 for labels that are constant.
    """
    if codes.ndim == 1:
        counts = np.bincount(codes, minlength=n_classes)
        return np.asarray(len(codes) / (n_classes * np.maximum(counts, 1)))
    positives = codes.sum(axis=0, dtype=np.int64)
    ratio = (len(codes) - positives) / np.maximum(positives, 1)
    is_constant = (positives == 0) | (positives == len(codes))
    return np.where(is_constant, 1.0, np.minimum(ratio, MAX_POS_WEIGHT))


def make_loss(
    codes: Array,
    classes: Array,
    *,
    class_weight: str | Mapping[Any, float] | None,
    focal: float | None,
) -> MlpLoss:
    """The loss that a probe's options name.

    Args:
        codes: (N,) indices into the classes, or (N, K) 0 and 1, of all training samples.
        classes: (K,) labels, or columns of several labels.
        class_weight: ``balanced``, a weight for each label (1 where none is named), or None.
        focal: Exponent of the focal loss, > 0, or None.

    Raises:
        ProbeError: Another value of an option.
    """
    if focal is not None and not (np.isfinite(focal) and focal > 0):
        raise ProbeError(
            "focal",
            f"its exponent is {focal!r}",
            "a number above 0, such as 2.0, or None",
            "Leave it out for plain cross-entropy.",
        )
    weights = None
    if class_weight is not None:
        numbers = (
            balanced_weights(codes, len(classes))
            if class_weight == "balanced"
            else _named_weights(class_weight, classes)
        )
        weights = torch.from_numpy(numbers.astype(np.float32))
    return MlpLoss(several=codes.ndim == 2, weights=weights, gamma=focal)


def _named_weights(class_weight: object, classes: Array) -> Array:
    if isinstance(class_weight, Mapping):
        weights = np.array([class_weight.get(label, 1.0) for label in classes.tolist()], float)
        if np.isfinite(weights).all() and (weights >= 0).all():
            return weights
    raise ProbeError(
        "class_weight",
        f"it is {class_weight!r}",
        "'balanced', a weight >= 0 for each label, or None",
        "Leave it out to weigh all samples alike.",
    )
