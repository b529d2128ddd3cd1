"""Tests of this folder run in one process of their own, on the fake device.

There each runs as usual; here its reports are given on, so that each counts by itself.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUN = HERE.parent / "fakes" / "fake_gpu" / "run.py"
ACTIVE, REPORTS = "FEATBANK_FAKE_GPU", "FEATBANK_FAKE_GPU_REPORTS"
_found = {}


def pytest_runtest_logreport(report):
    """In the process that has the device: keep each report."""
    if ACTIVE in os.environ and REPORTS in os.environ:
        with open(os.environ[REPORTS], "a") as file:
            file.write(json.dumps(_plain(report)) + "\n")


def _plain(report):
    text = str(report.longrepr) if report.failed else report.longrepr
    return {"nodeid": report.nodeid.partition("@")[0], "when": report.when,
            "outcome": report.outcome, "longrepr": text, "duration": report.duration}  # fmt: skip


def pytest_runtest_protocol(item, nextitem):
    """Elsewhere: run them all in such a process once, then give each its reports."""
    if HERE not in item.path.parents or ACTIVE in os.environ:
        return None
    if not _found:
        wanted = [each for each in item.session.items if HERE in each.path.parents]
        _found.update(_run(item.config, wanted))
    name = item.nodeid.partition("@")[0]
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for told in _found.get(name, _absent(name)):
        report = pytest.TestReport(
            nodeid=item.nodeid, location=item.location, keywords={}, outcome=told["outcome"],
            longrepr=_longrepr(told), when=told["when"], duration=told["duration"],
        )  # fmt: skip
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _longrepr(told):
    return tuple(told["longrepr"]) if told["outcome"] == "skipped" else told["longrepr"]


def _run(config, items):
    from fake_gpu.building import unavailable

    names = [item.nodeid.partition("@")[0] for item in items]
    if why := unavailable():
        return {name: [_told(name, "skipped", (str(HERE), 0, f"Skipped: {why}"))] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder) / "reports.jsonl"
        done = subprocess.run(
            [sys.executable, str(RUN), "-q", "-p", "no:cacheprovider", "-n", "0", *names],
            cwd=config.rootpath, env={**os.environ, REPORTS: str(reports)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = reports.read_text().splitlines() if reports.exists() else []
    found = {}
    for told in map(json.loads, lines):
        found.setdefault(told["nodeid"], []).append(told)
    for name in names:
        found.setdefault(name, [_told(name, "failed", done.stdout[-3000:] + done.stderr[-3000:])])
    return found


def _absent(name):
    return [_told(name, "failed", "it was not run in the process with the fake device")]


def _told(name, outcome, longrepr):
    when = "setup" if outcome == "skipped" else "call"
    return {"nodeid": name, "when": when, "outcome": outcome, "longrepr": longrepr, "duration": 0.0}
