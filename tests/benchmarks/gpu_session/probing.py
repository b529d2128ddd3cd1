"""Probes on the device against the CPU's, small and large."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from featbank.probes import PROBES
from featbank.probes.fitting import graphed_step
from featbank.probes.fitting.device import computing_on
from featbank.probes.fitting.sweep import Labelled, fitted, predict
from tests.benchmarks.gpu_session.clock import wait

if TYPE_CHECKING:
    from tests.benchmarks.gpu_session.session import Session

CLASSES = 10
QUICK = {"linear": {"min_steps": 300}, "mlp": {"min_steps": 150}}
# Probabilities of one fit, its step replayed and not: sums on the device come in any order.
MOST_APART = 1e-2


def made(n: int, dim: int, seed: int) -> Labelled:
    """Features of classes that overlap."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=n)
    centres = np.random.default_rng(0).normal(size=(CLASSES, dim))
    features = rng.normal(size=(n, dim)) + 0.25 * centres[labels]
    return Labelled(features=features.astype(np.float32), labels=labels, n_classes=CLASSES)


def small(session: Session) -> None:
    """Decisions that the device and the CPU share on few samples, and the time of both."""
    _agreement(session, session.sized(300, 4_000))


def large(session: Session) -> None:
    """The same on many samples, on which the CPU takes its time."""
    _agreement(session, session.sized(400, 100_000))


def _agreement(session: Session, n: int) -> None:
    dim = session.sized(16, 768)
    train, test = made(n, dim, 1), made(session.sized(100, 2_000), dim, 2)
    for name, spec in PROBES.items():
        if "cuda" in spec.devices:
            _compare(session, name, train, test)


def _compare(session: Session, name: str, train: Labelled, test: Labelled) -> None:
    spec, said, took = PROBES[name], {}, {}
    params = {**spec.defaults, **QUICK.get(name, {})}
    for place in ("cpu", session.device):
        began = time.perf_counter()
        with computing_on(place):
            (classifier,) = fitted(spec, [(params, 0)], train)
            said[place] = predict(classifier, test.features, train).argmax(axis=1)
        wait(session.device)
        took[place] = time.perf_counter() - began
    share = float((said["cpu"] == said[session.device]).mean())
    session.check(
        f"{name} on {len(train.labels):,} samples", share >= spec.agreement, agreement=share,
        stated=spec.agreement, cpu_s=took["cpu"], device_s=took[session.device],
    )  # fmt: skip


def replays(session: Session) -> None:
    """Decisions and time of fits whose step is a graph, against the same step by step."""
    dim = session.sized(16, 768)
    train, test = made(session.sized(300, 20_000), dim, 1), made(200, dim, 2)
    for name in ("linear", "mlp"):
        params, said, took = {**PROBES[name].defaults, **QUICK[name]}, [], []
        # The first of three fits finds memory and libraries for the others.
        for least in (10**9, 10**9, graphed_step.LEAST_REPLAYS):
            with mock.patch.object(graphed_step, "LEAST_REPLAYS", least):
                began = time.perf_counter()
                with computing_on(session.device):
                    (classifier,) = fitted(PROBES[name], [(params, 0)], train)
                    said.append(predict(classifier, test.features, train))
                wait(session.device)
                took.append(time.perf_counter() - began)
        apart = float(np.abs(said[1] - said[2]).max())
        is_right = apart <= MOST_APART and not graphed_step._failed
        session.check(
            f"{name}: its step replayed", is_right, apart=apart, allowed=MOST_APART,
            replayed_s=took[2], eager_s=took[1],
        )  # fmt: skip
