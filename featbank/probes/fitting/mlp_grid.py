"""Many MLP probes on one set of samples: which are trained side by side, within bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featbank.errors import ProbeError
from featbank.probes.fitting.grid_fit import fitted_in_order, grouped
from featbank.probes.fitting.mlp_loss import make_loss
from featbank.probes.fitting.mlp_networks import NetworkPlan
from featbank.probes.fitting.mlp_training import TrainingLength, TrainingSamples, train

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from featbank.image import Array
    from featbank.probes.fitting.mlp_classifier import MlpClassifier

# Numbers of networks trained at once: weights, gradients, two moments and best weights, and four
# of each hidden unit of a batch. 512 MB in float32; a larger network is trained alone.
_GROUP_NUMBERS = 2**27

# What networks that are trained side by side have in common.
_SHARED = (
    "batch_size",
    "epochs",
    "min_steps",
    "patience",
    "validation_share",
    "class_weight",
    "focal",
)


def fit_networks(probes: Sequence[MlpClassifier], X: Array, y: Array) -> Iterator[MlpClassifier]:
    """Fit many classifiers on the same samples, side by side where batches and loss are equal.

    Each ends as if it were fitted alone, within the rounding of float32 products (on CUDA, of
    bfloat16): its weights, order and dropout hang on its own seed.

    Args:
        probes: Unfitted, with any parameters.
        X: (N, D) finite features.
        y: (N,) labels, or (N, K) 0 and 1.

    Yields:
        The classifiers in order; a group is trained when its first one is asked for.

    Raises:
        ProbeError: An option is out of its range.
        ValueError: The features are not finite numbers, or y is not a classification target.
    """
    if not probes:
        return
    for probe in probes:
        _require_ranges(probe)
    reader = probes[0]
    standardised, codes = reader.read(X, y)
    samples = TrainingSamples(torch.from_numpy(standardised), codes, len(reader.classes_))

    def fit(group: list[MlpClassifier]) -> None:
        _fit_group(group, samples, reader)

    yield from fitted_in_order(probes, groups(probes, samples.shape), fit)


def groups(probes: Sequence[MlpClassifier], shape: tuple[int, int]) -> list[list[int]]:
    """Positions of the probes that are trained side by side.

    They have equal batches and loss, and the same widths for each seed, so that one product
    serves all seeds; and they take at most ``_GROUP_NUMBERS`` numbers at once.

    Args:
        probes: Unfitted.
        shape: D features and K classes.
    """
    widths: dict[Hashable, list[int]] = {}
    for probe in probes:
        widths.setdefault((_shared(probe), probe.random_state), []).append(probe.hidden)
    keys = [
        (_shared(probe), tuple(sorted(widths[_shared(probe), probe.random_state])))
        for probe in probes
    ]
    sizes = [_numbers(probe, shape) for probe in probes]
    # Seed by seed, so that a group that is cut holds whole seeds or parts of one.
    order = sorted(range(len(probes)), key=lambda i: (probes[i].random_state, probes[i].hidden))
    rectangles: dict[Hashable, list[int]] = {}
    for i in order:
        rectangles.setdefault(keys[i], []).append(i)
    return [part for members in rectangles.values() for part in _cut(members, probes, sizes)]


def _cut(
    members: list[int], probes: Sequence[MlpClassifier], sizes: Sequence[int]
) -> list[list[int]]:
    """Whole seeds together while they fit; of a seed that does not fit, parts."""
    seeds: dict[int, list[int]] = {}
    for i in members:
        seeds.setdefault(probes[i].random_state, []).append(i)
    rows = list(seeds.values())
    of_seed = sum(sizes[i] for i in rows[0])
    if of_seed > _GROUP_NUMBERS:
        return [
            [row[position] for position in part]
            for row in rows
            for part in grouped([0] * len(row), [sizes[i] for i in row], bound=_GROUP_NUMBERS)
        ]
    parts = grouped([0] * len(rows), [of_seed] * len(rows), bound=_GROUP_NUMBERS)
    return [[i for position in part for i in rows[position]] for part in parts]


def _numbers(probe: MlpClassifier, shape: tuple[int, int]) -> int:
    dim, classes = shape
    return int(probe.hidden) * (5 * (dim + classes + 1) + 4 * int(probe.batch_size))


def _shared(probe: MlpClassifier) -> tuple[Hashable, ...]:
    return tuple(repr(getattr(probe, name)) for name in _SHARED)


def _fit_group(group: list[MlpClassifier], samples: TrainingSamples, reader: MlpClassifier) -> None:
    rows: dict[int, list[MlpClassifier]] = {}
    for probe in group:
        rows.setdefault(probe.random_state, []).append(probe)
    first = group[0]
    loss = make_loss(
        samples.codes, reader.classes_, class_weight=first.class_weight, focal=first.focal
    )
    names = ("batch_size", "epochs", "min_steps", "patience", "validation_share")
    trained = train(
        [[_plan(probe) for probe in row] for row in rows.values()],
        list(rows),
        samples,
        loss.to(samples.place),
        TrainingLength(**{name: getattr(first, name) for name in names}),
    )
    for row, networks in zip(rows.values(), trained, strict=True):
        for probe, network in zip(row, networks, strict=True):
            probe.keep(network, reader)


def _plan(probe: MlpClassifier) -> NetworkPlan:
    return NetworkPlan(
        width=probe.hidden,
        dropout=probe.dropout,
        lr=probe.lr,
        weight_decay=probe.weight_decay,
    )


def _require_ranges(probe: MlpClassifier) -> None:
    ranges: dict[str, tuple[bool, str]] = {
        "hidden": (probe.hidden >= 1, "at least 1 unit"),
        "dropout": (0 <= probe.dropout < 1, "a share in [0, 1)"),
        "patience": (probe.patience is None or probe.patience >= 1, "at least 1 pass, or None"),
        "validation_share": (0 < probe.validation_share < 1, "a share between 0 and 1"),
    }
    for name, (is_kept, expected) in ranges.items():
        if not is_kept:
            raise ProbeError(
                name, f"it is {getattr(probe, name)!r}", expected, "Choose a value in this range."
            )
