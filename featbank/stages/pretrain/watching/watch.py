"""A watch over a run: it says what collapses, and stops rather than burn a night."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from featbank.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

# Steps between measurements: each costs a decomposition of a (D, D) matrix.
EVERY = 10
# Rows of features that are measured; a rank is known well enough from some hundreds.
_ROWS = 1024
RANK, SPREAD = "feature_rank", "feature_spread"
USED, FLATNESS = "prototypes_used", "target_flatness"


def feature_figures(features: Tensor) -> dict[str, Tensor]:
    """How much features differ from chip to chip.

    Args:
        features: (n, D).

    Returns:
        ``feature_rank``: the ``effective_rank`` of their products. ``feature_spread``: root mean
        square of the features less their mean over that of the features; 0 to 1.
    """
    products, spread = feature_products(features)
    return {RANK: effective_rank(products), SPREAD: spread}


def feature_products(features: Tensor) -> tuple[Tensor, Tensor]:
    """What figures of features need of the device, which does not wait for it.

    Args:
        features: (n, D).

    Returns:
        (m, m) float64, m the smaller of n and D: products of the features less their mean; and
        ``feature_spread``.
    """
    # In float32 the squares would lose the smaller singular values.
    rows = features[:_ROWS].double()
    centred = rows - rows.mean(dim=0)
    # Squared singular values are eigenvalues of the smaller of the two products.
    products = centred @ centred.T if len(rows) < rows.shape[1] else centred.T @ centred
    spread = centred.square().mean().sqrt() / rows.square().mean().sqrt().clamp(min=1e-12)
    return products, spread.float()


def effective_rank(products: Tensor) -> Tensor:
    """``exp`` of the entropy of the singular values' shares, of features less their mean.

    A GPU would be waited for, since it says whether eigenvalues were found.

    Args:
        products: (m, m) float64, as ``feature_products`` gives them, on the CPU.

    Returns:
        1 to m, float32; NaN where the products are not finite, as after a loss that is not.

    References:
        Garrido et al. 2023, RankMe, arXiv:2210.02885, eq. 1; there without the mean taken off,
        which a network's common offset would hide a collapse of directions behind.
    """
    if not products.isfinite().all():
        return torch.tensor(math.nan)
    values = torch.linalg.eigvalsh(products).clamp(min=0).sqrt()
    shares = values / values.sum().clamp(min=1e-12)
    return _entropy(shares).exp().float()


def target_figures(targets: Tensor) -> dict[str, Tensor]:
    """How a teacher spreads chips over its K prototypes.

    Args:
        targets: (n, K) probabilities.

    Returns:
        ``prototypes_used``: ``exp`` of the entropy of the mean target, 1 to K.
        ``target_flatness``: mean entropy of a target over ``log K``; 1 where each is uniform.
    """
    probabilities = targets.float()
    flatness = _entropy(probabilities).mean() / math.log(targets.shape[1])
    return {USED: _entropy(probabilities.mean(dim=0)).exp(), FLATNESS: flatness}


def _entropy(shares: Tensor) -> Tensor:
    entropy: Tensor = torch.special.entr(shares).sum(dim=-1)
    return entropy


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A way to collapse.

    Attributes:
        figure: Which figure shows it.
        limit: Where it begins.
        is_below: Whether figures below the limit show it, else those above.
        what: What has happened, for the message; ``{now}`` and ``{first}`` are the figures.
        wanted: What is expected instead.
        remedy: What to change.
    """

    figure: str
    limit: float
    is_below: bool
    what: str
    wanted: str
    remedy: str

    def shows(self, value: float) -> bool:
        """Whether a figure shows it."""
        return value < self.limit if self.is_below else value > self.limit


FAULTS = (
    # A teacher that gives one prototype 97 % of all chips uses 1.14 of them by this measure.
    Fault(
        figure=USED,
        limit=1.15,
        is_below=True,
        what="the teacher gives every chip the same prototype: the mean target uses {now:.2f} "
        "prototypes, {first:.1f} in the first steps",
        wanted="targets that differ between chips",
        remedy="Centre the targets (a lower centre_momentum, or centring=sinkhorn), or raise "
        "teacher_temperature.",
    ),
    # Trained teachers are sharp; 0.999 is what float32 softmax gives for logits a few per cent
    # of the temperature apart.
    Fault(
        figure=FLATNESS,
        limit=0.999,
        is_below=False,
        what="the teacher tells no prototype from another: a target's entropy is {now:.4f} of that "
        "of the uniform one, {first:.4f} in the first steps",
        wanted="targets that single prototypes out",
        remedy="Lower teacher_temperature below student_temperature, or raise lr.",
    ),
    # Untrained networks begin above 0.01 on real imagery; features that are equal but for
    # rounding are at 1e-3 in bfloat16 and 1e-6 in float32.
    Fault(
        figure=SPREAD,
        limit=0.002,
        is_below=True,
        what="features are the same for every chip: their spread is {now:.1e} of their size, "
        "{first:.1e} in the first steps",
        wanted="features that differ between chips",
        remedy="Lower lr, and see that the chips differ from each other.",
    ),
    # Two directions of equal weight have rank 2.
    Fault(
        figure=RANK,
        limit=1.5,
        is_below=True,
        what="features vary along one line only: their effective rank is {now:.2f}, {first:.1f} in "
        "the first steps",
        wanted="features of several directions",
        remedy="Lower lr, or raise the weight of what spreads features (KoLeo).",
    ),
)


@dataclass
class Watch:
    """Judges the rows of a run.

    Args:
        subject: The checkpoint's name.
        first_judged: Step from which figures count; during the warm-up a network near its start
            proves nothing.
        patience: Steps for which a fault has to last; half of them bring a warning.
        tell: Takes the warning.
        first: First value of each figure.
        since: Step since which a fault has lasted, by figure.
    """

    subject: str
    first_judged: int
    patience: int
    tell: Callable[[str], None]
    first: dict[str, float] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set)

    def judge(self, row: Mapping[str, float]) -> None:
        """Look at a step's row.

        Raises:
            TrainingError: The loss is not finite, or a fault has lasted too long.
        """
        self._require_finite(row)
        step = int(row["step"])
        for fault in FAULTS:
            if fault.figure in row:
                self._judge_figure(fault, step, row[fault.figure])

    def remembered(self) -> dict[str, Any]:
        """What has to be kept for a resumed run to judge as this one."""
        return {"first": dict(self.first), "since": dict(self.since)}

    def recall(self, remembered: Mapping[str, Any]) -> None:
        """Take up what an earlier run kept."""
        self.first = dict(remembered.get("first", {}))
        self.since = dict(remembered.get("since", {}))

    def _judge_figure(self, fault: Fault, step: int, value: float) -> None:
        first = self.first.setdefault(fault.figure, value)
        if step < self.first_judged or not fault.shows(value):
            self.since.pop(fault.figure, None)
            return
        lasted = step - self.since.setdefault(fault.figure, step)
        what = fault.what.format(now=value, first=first)
        if lasted >= self.patience:
            found = f"collapsed, stopped at step {step}: for {lasted} steps {what}"
            raise TrainingError(self.subject, found, fault.wanted, fault.remedy)
        if 2 * lasted >= self.patience and fault.figure not in self._warned:
            self._warned.add(fault.figure)
            self.tell(f"{self.subject}: warning, for {lasted} steps {what}")

    def _require_finite(self, row: Mapping[str, float]) -> None:
        loss = row["loss"]
        if math.isfinite(loss):
            return
        raise TrainingError(
            self.subject,
            f"the loss is {loss} at step {int(row['step'])}, with learning rate "
            f"{row['lr']:.2g} and gradients of norm {row['gradient_norm']:.2g}",
            "a finite loss",
            "Lower lr, set clip, or take --dtype float32; the last saved state is good.",
        )
