"""Training with labels, epoch by epoch, with accuracy and loss on train and validation."""

from __future__ import annotations

import copy
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from featbank.errors import TrainingError
from featbank.metrics.headline_score import headline_score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from featbank.image import Array
    from featbank.stages.finetune.chips import LabelledChips
    from featbank.stages.finetune.network import FinetuneNetwork
    from featbank.stages.finetune.plan import FinetunePlan

    Progress = Callable[[int, int], None]

# A weight decay or layer rate of zero is the study's; the rest of AdamW's numbers are Adam's own
# (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1).
_BETAS = {"beta1": 0.9, "beta2": 0.999}


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """How one epoch went.

    Attributes:
        epoch: From 1.
        lr: Learning rate of its last step.
        train_loss: Mean loss of its training batches, distorted and as the weights moved.
        train_score: Accuracy, or macro mean average precision of several labels, of the same.
        val_loss: Mean loss on validation after the epoch; NaN without validation.
        val_score: Its accuracy, or macro mean average precision.
        seconds: Wall time.
        chips_per_second: Training chips, validation left out.
    """

    epoch: int
    lr: float
    train_loss: float
    train_score: float
    val_loss: float
    val_score: float
    seconds: float
    chips_per_second: float

    def as_row(self) -> dict[str, Any]:
        """The epoch as a plain mapping."""
        return asdict(self)


class FineTuning:
    """One run.

    Args:
        plan: What to train, with what.
        network: The network, on its device.
        chips: Gives the batches.
        progress: Takes steps done and steps in all.
    """

    def __init__(
        self, plan: FinetunePlan, network: FinetuneNetwork, chips: LabelledChips, progress: Progress
    ) -> None:
        self._plan = plan
        self._network = network
        self._chips = chips
        self._progress = progress
        self._device = next(network.parameters()).device
        self._rates = _rates(plan)
        self._optimiser = _optimiser(plan, network)
        self._step = 0

    def epochs(self) -> Iterator[Epoch]:
        """Train, and tell each epoch as it ends.

        Raises:
            TrainingError: The loss is not finite.
            RefusedError: More chips are refused than allowed.
        """
        for epoch in range(self._plan.options.epochs):
            start = time.perf_counter()
            truth, scores, losses = self._train(epoch)
            trained_s = time.perf_counter() - start
            val_loss, val_score = self._validate()
            yield Epoch(
                epoch=epoch + 1,
                lr=float(self._rates[self._step - 1]),
                train_loss=float(np.mean(losses)),
                train_score=headline_score(truth, scores),
                val_loss=val_loss,
                val_score=val_score,
                seconds=time.perf_counter() - start,
                chips_per_second=len(truth) / trained_s,
            )

    def _train(self, epoch: int) -> tuple[Array, Array, list[float]]:
        self._network.train()
        outs, losses = [], []
        for x, y in self._chips.train(epoch):
            torch.manual_seed(self._plan.options.seed + self._step)
            loss, logits = self._update(x, y)
            outs.append((y, logits))
            losses.append(loss)
            self._progress(self._step, len(self._rates))
        found = [float(loss) for loss in losses]
        if not np.isfinite(found).all():
            raise TrainingError(
                f"epoch {epoch + 1}",
                "the loss is not a finite number",
                "a loss that falls",
                "Lower --lr, or pass --dtype float32.",
            )
        return *_joined(outs), found

    def _update(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        from featbank.methods.parts.optimiser import set_numbers

        rate = float(self._rates[min(self._step, len(self._rates) - 1)])
        set_numbers(self._optimiser, lr=rate, weight_decay=self._plan.options.weight_decay)
        with self._autocast():
            logits = self._network(x)
        loss = loss_of(logits.float(), y)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self._optimiser.step()
        self._step += 1
        return loss.detach(), logits.detach()

    def _validate(self) -> tuple[float, float]:
        if not len(self._plan.rows["val"]):
            return float("nan"), float("nan")
        self._network.eval()
        outs = []
        with torch.inference_mode(), self._autocast():
            outs = [(y, self._network(x)) for x, y in self._chips.plain("val")]
        logits = torch.cat([out.float() for _, out in outs])
        loss = float(loss_of(logits, torch.cat([y for y, _ in outs])))
        return loss, headline_score(*_joined(outs))

    def _autocast(self) -> torch.autocast:
        is_half = self._plan.recipe["compute_dtype"] == "bfloat16"
        return torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=is_half)


def loss_of(logits: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of one class a sample; binary cross-entropy over several labels.

    Args:
        logits: (B, K) float32.
        y: (B,) class indices, or (B, K) 0 and 1.
    """
    if y.ndim == 2:
        return functional.binary_cross_entropy_with_logits(logits, y)
    return functional.cross_entropy(logits, y)


def probabilities(logits: Tensor, *, is_multilabel: bool) -> Tensor:
    """(B, K) float32: softmax of one class a sample, sigmoid of several labels."""
    logits = logits.float()
    return torch.sigmoid(logits) if is_multilabel else torch.softmax(logits, dim=1)


def _joined(outs: list[tuple[Tensor, Tensor]]) -> tuple[Array, Array]:
    y = torch.cat([each for each, _ in outs])
    scores = probabilities(torch.cat([out for _, out in outs]), is_multilabel=y.ndim == 2)
    truth = y.cpu().numpy()
    return truth.astype(np.int8) if y.ndim == 2 else truth, scores.cpu().numpy()


def _rates(plan: FinetunePlan) -> Array:
    """Learning rate of every step."""
    from featbank.methods.parts.schedules import warmed_up_cosine

    options = plan.options
    an_epoch = -(-len(plan.rows["train"]) // options.batch_size)
    warmup = round(options.warmup_epochs * an_epoch)
    end = 0.0 if options.schedule == "cosine" else options.lr
    return warmed_up_cosine(options.lr, end, steps=options.epochs * an_epoch, warmup_steps=warmup)


def _optimiser(plan: FinetunePlan, network: FinetuneNetwork) -> torch.optim.AdamW:
    from featbank.methods.parts.optimiser import adamw

    return adamw(
        network, {"layer_decay": plan.options.layer_decay, "patch_embed_lr": 1.0, **_BETAS}
    )


class Best:
    """Keeps the weights of the epoch that is best on validation, or of the last.

    Args:
        network: What is trained.
        keep: ``best`` or ``last``; without validation the last one is kept.
    """

    def __init__(self, network: FinetuneNetwork, keep: str) -> None:
        self._network = network
        self._keep = keep
        self.epoch: Epoch | None = None
        self._state: dict[str, Tensor] = {}

    def see(self, epoch: Epoch) -> None:
        """Take an epoch's weights where they are better; of equals the earlier."""
        is_comparable = self._keep == "best" and not np.isnan(epoch.val_score)
        if self.epoch is not None and is_comparable and epoch.val_score <= self.epoch.val_score:
            return
        self.epoch = epoch
        if is_comparable:
            self._state = copy.deepcopy(self._network.state_dict())

    def restore(self) -> None:
        """Put the kept weights back into the network."""
        if self._state:
            self._network.load_state_dict(self._state)
