"""Running a pipeline as ``python pipelines/NAME.py`` does, without a process of its own."""

import importlib
from pathlib import Path

import pytest

PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"


@pytest.fixture
def load(monkeypatch):
    """Imports a pipeline by name."""
    monkeypatch.syspath_prepend(str(PIPELINES))
    return importlib.import_module


@pytest.fixture
def pipeline(load, capsys):
    """Runs one by name, and gives what it printed."""

    def run(name, *args):
        load(name).main([*map(str, args)], standalone_mode=False)
        return capsys.readouterr().out

    return run
