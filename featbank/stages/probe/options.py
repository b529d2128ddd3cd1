"""What a user may ask of ``featbank probe``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.device import require_device
from featbank.errors import UsageError
from featbank.probes import PROBES
from featbank.probes.protocols import PROTOCOLS, ProtocolSpec
from featbank.ranges import Check, at_least, require, seed_check

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """Options of ``featbank probe``.

    Attributes:
        clf: Name of the probe; None where the protocol says it.
        protocol: Name of the protocol; None takes the probe's own, ``featbank-<probe>``.
        store: Path of the store; None finds it by model and dataset, or takes the newest.
        model: Backbone of the store.
        dataset: Dataset of the store.
        concat: Two or more stores, paths or models of ``dataset``, whose features are joined
            sample by sample.
        test_store: Store that the probe is scored on instead.
        test_labels: Label set of ``test_store``, where it has another name.
        test_split: ``test``, or ``all`` for every labelled sample of ``test_store``.
        allow_mismatch: Whether ``test_store`` may have been embedded in another way.
        features: ``cls``, ``mean``, ``cls+mean``; None takes the backbone's default.
        layer: Block index; None takes the last one stored.
        labels: Label set; None takes the first.
        split_scheme: Split scheme; None takes the first.
        buffer: Distance in m: train and validation samples nearer than this to a test sample are
            left out; None leaves none out.
        params: Parameters that are fixed instead of the protocol's own, such as ``k``.
        shots: Training samples of each class, one few-shot run for each number; () for all.
        tries: Draws of each few-shot run.
        by: Columns of the store by whose values results are told apart, such as ``country``.
        seed: Seed of the probe, of a carved validation split and of the intervals.
        seeds: Fits of a probe that is random, for its spread; few-shot runs have draws instead.
        resamples: Parts that intervals leave out, at most; 0 gives none, None takes the
            protocol's, or 1,000.
        confusion: Whether a confusion matrix is wanted, which is refused before any fit where a
            sample may bear several labels.
        device: ``auto``, ``cpu`` or ``cuda``; results record what computed them, and their ids do
            not hang on it.
        again: Whether to fit a probe anew whose result stands in the bank.
        save: Whether to keep the fitted probe in the bank.
        bank: Folder of the bank.
    """

    clf: str | None = None
    protocol: str | None = None
    store: Path | None = None
    model: str | None = None
    dataset: str | None = None
    concat: tuple[str, ...] = ()
    test_store: Path | None = None
    test_labels: str | None = None
    test_split: str = "test"
    allow_mismatch: bool = False
    features: str | None = None
    layer: int | None = None
    labels: str | None = None
    split_scheme: str | None = None
    buffer: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    shots: tuple[int, ...] = ()
    tries: int = 5
    by: tuple[str, ...] = ()
    seed: int = 0
    seeds: int = 5
    resamples: int | None = None
    confusion: bool = False
    device: str = "auto"
    again: bool = False
    save: bool = False
    bank: Path = Path("bank")


def require_numbers(options: ProbeOptions) -> None:
    """Refuse numbers that no run could use, before anything is read.

    Raises:
        UsageError: One of them, or a device that is not there.
    """
    require_device(options.device)
    require(
        (
            *(at_least("--shots", shots, 1) for shots in options.shots),
            at_least("--tries", options.tries, 1),
            at_least("--seeds", options.seeds, 1),
            at_least("--resamples", options.resamples, 0),
            _buffer_check(options.buffer),
            seed_check(options.seed),
        )
    )


def _buffer_check(buffer: float | None) -> Check:
    is_good = buffer is None or (math.isfinite(buffer) and buffer > 0)
    return Check("--buffer", buffer, is_good, "metres, more than 0")


def protocols_asked(clf: str | None, protocol: str | None) -> tuple[ProtocolSpec, ...]:
    """The protocols that a probe's or a protocol's name stands for.

    Args:
        clf: Name of a probe; alone it stands for the probe's own protocol.
        protocol: Name of a protocol or of a family of them.

    Raises:
        UnknownNameError: No such probe or protocol.
        UsageError: Neither is given, or they name different probes.
    """
    if protocol is None:
        return (PROTOCOLS[PROBES[_required(clf)].protocol],)
    family = tuple(spec for spec in PROTOCOLS.values() if spec.family == protocol)
    found = family or (PROTOCOLS[protocol],)
    kept = tuple(spec for spec in found if clf is None or PROBES[clf].name == spec.probe)
    if not kept:
        raise UsageError(
            f"--clf {clf}",
            f"protocol '{protocol}' is of probe {' or '.join(spec.probe for spec in found)}",
            "the same probe",
            "Leave --clf out.",
        )
    return kept


def _required(clf: str | None) -> str:
    if clf is None:
        raise UsageError(
            "--clf or --protocol",
            "neither is given",
            f"a probe ({', '.join(PROBES)}) or a protocol",
            "Try --clf knn, or list the protocols with 'featbank protocols'.",
        )
    return clf


def require_known_params(protocol: ProtocolSpec, params: Mapping[str, Any]) -> None:
    """Refuse parameters that a protocol's probe does not have, and text where it has a number.

    Raises:
        UsageError: One of them.
    """
    known = PROBES[protocol.probe].defaults
    for name, value in params.items():
        if isinstance(known.get(name), int | float) and not _is_number(value):
            raise UsageError(
                f"--param {name}",
                f"it is '{value}'",
                f"a finite number, such as {known[name]}",
                "Pass a number.",
            )
        if name not in known:
            raise UsageError(
                f"--{name}" if name == "k" else f"--param {name}",
                f"probe '{protocol.probe}' has no such parameter",
                f"one of {', '.join(known)}",
                "Leave it out.",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
