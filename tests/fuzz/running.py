"""Runs trials: finds the kinds, seeds each trial by its number, watches memory.

A kind is a module ``<kind>_mutations.py`` of this folder with ``trial(rng, folder)``, which makes a
damaged input in an empty folder, has featbank use it, and raises ``AssertionError`` where a claim
breaks. Whatever else it raises is a failure too.
"""

from __future__ import annotations

import importlib
import pkgutil
import resource
import shutil
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from featbank.errors import FeatbankError, FeatbankWarning
from tests import fuzz

_SUFFIX = "_mutations"
# What a damaged input may have the process hold beyond what it held before.
MOST_GROWN_MB = 1024.0


@dataclass
class Report:
    """What became of the trials of one kind."""

    trials: int = 0
    seconds: float = 0.0
    grown_mb: float = 0.0
    failures: list[tuple[int, BaseException]] = field(default_factory=list)


def kinds():
    """Trial functions by the name of their kind."""
    names = sorted(info.name for info in pkgutil.iter_modules(fuzz.__path__))
    found = [name for name in names if name.endswith(_SUFFIX) and not name.startswith("test_")]
    modules = {n.removesuffix(_SUFFIX): importlib.import_module(f"tests.fuzz.{n}") for n in found}
    return {name: module.trial for name, module in modules.items()}


def run_trials(name, trial, *, trials, seed, only=None, seconds=None):
    """Run trials of one kind, each from its own seed; stop after so many seconds."""
    report, start, held = Report(), time.monotonic(), None
    for number in range(trials) if only is None else [only]:
        if seconds is not None and time.monotonic() - start > seconds:
            break
        _run_one(name, trial, number, seed, report)
        report.trials += 1
        # The first trial brings libraries in, which no input is to blame for.
        held = _peak_mb() if held is None else held
        report.grown_mb = _peak_mb() - held
    if report.grown_mb > MOST_GROWN_MB:
        report.failures.append((-1, AssertionError(f"memory grew by {report.grown_mb:.0f} MB")))
    report.seconds = time.monotonic() - start
    return report


def _run_one(name, trial, number, seed, report):
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    try:
        trial(np.random.default_rng([seed, number, len(name)]), folder)
    except Exception as error:
        report.failures.append((number, error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def refused(work, names):
    """Whether featbank refuses some work, which it does by name.

    What it leaves out before, by a warning, counts as said.

    Raises:
        AssertionError: The refusal names none of the files; or it is no line.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("error")
        warnings.simplefilter("always", FeatbankWarning)
        try:
            work()
        except FeatbankError as error:
            said = " ".join([str(error), *(str(each.message) for each in told)])
            assert "\n" not in said, f"not one line: {said!r}"
            assert any(name in said for name in names), f"names none of {names}: {said}"
            return True
    return False


def _peak_mb():
    unit = 1024 if sys.platform != "darwin" else 1 << 20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
