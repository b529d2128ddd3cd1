"""The gradient of many logistic losses in one pass over the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

# Scores of one block of rows: 1 MB of float32 on a processor, where they stay in the cache between
# the two products (256 to 8,192 rows differ by a fifth, whole sets cost a fifth more); 256 MB on
# an accelerator, which wants long kernels.
_SCORES = {"cpu": 1 << 18, "cuda": 1 << 26}
_FEWEST_ROWS = 256
# Rows that are converted to float64 at once: 25 MB of 768 features.
_ROWS = 4096


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Mean logistic losses of M problems on the same samples, without their penalties.

    Each problem has k columns of weights: one for a question of yes or no, whose probability is a
    sigmoid, or one a class, whose probabilities are a softmax.

    Attributes:
        features: (N, R) float32 or float64.
        bearing: (R, M, k) float64 mean of the features times the truth; the gradient of the loss
            is the mean of the features times the probabilities, less this.
    """

    features: torch.Tensor
    bearing: torch.Tensor

    def of(self, problems: torch.Tensor) -> Loss:
        """The loss of some of the problems, (m,) indices."""
        return Loss(features=self.features, bearing=self.bearing[:, problems])

    def gradient(self, W: torch.Tensor) -> torch.Tensor:
        """Gradients (R, M, k), of the dtype of W, at weights (R, M, k).

        The arithmetic is of the dtype of W; features of another are converted block by block.
        """
        total = W.new_zeros(W.shape[1] * W.shape[2], W.shape[0])
        for block, p in self._blocks(W):
            total.addmm_(p.flatten(1).T, block)
        return self._less_bearing(total, W)

    def gradient_and_spread(self, W: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradients, and (M, k, k) float64 mean curvature of the loss by its scores.

        Of probabilities p, the mean of diag(p) - p p' where k > 1 and of p (1 - p) where k = 1.
        """
        total = W.new_zeros(W.shape[1] * W.shape[2], W.shape[0])
        mean = W.new_zeros(W.shape[1:], dtype=torch.float64)
        square = W.new_zeros((*W.shape[1:], W.shape[2]), dtype=torch.float64)
        for block, p in self._blocks(W):
            total.addmm_(p.flatten(1).T, block)
            mean += p.sum(dim=0)
            square += _squares(p)
        count = len(self.features)
        return self._less_bearing(total, W), torch.diag_embed(mean / count) - square / count

    def rows_at_once(self, columns: int) -> int:
        """Rows of a block for so many columns of weights."""
        return max(_FEWEST_ROWS, _SCORES[self.features.device.type] // columns)

    def _blocks(self, W: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Blocks of features (b, R) with their probabilities (b, M, k)."""
        flat = W.flatten(1)
        for block in torch.split(self.features, self.rows_at_once(flat.shape[1])):
            x = block.to(W.dtype)
            scores = (x @ flat).view(-1, *W.shape[1:])
            yield x, scores.sigmoid_() if W.shape[2] == 1 else scores.softmax(dim=2)

    def _less_bearing(self, total: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
        # (M k, R) -> (R, M, k); of few columns this product is ten times faster than its transpose
        mean = total.div_(len(self.features)).T.contiguous().view(W.shape)
        return mean.sub_(self.bearing.to(W.dtype))


def _squares(p: torch.Tensor) -> torch.Tensor:
    """Sums (M, k, k) over rows of products of probabilities (b, M, k)."""
    if p.shape[2] == 1:
        return p.square().sum(dim=0)[:, :, None]
    return p.permute(1, 2, 0) @ p.transpose(0, 1)


def bearing(features: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean (R, K) in float64 of features times the truth.

    Args:
        features: (N, R).
        truth: (N, K) 0 and 1, of a small dtype.
    """
    total = features.new_zeros(features.shape[1], truth.shape[1], dtype=torch.float64)
    for x, t in zip(torch.split(features, _ROWS), torch.split(truth, _ROWS), strict=True):
        total.addmm_(x.double().T, t.double())
    return total / len(features)
