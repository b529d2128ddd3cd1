"""Running a pipeline as ``python pipelines/NAME.py`` does, without a process of its own."""

import importlib
from pathlib import Path

import pytest

PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"


@pytest.fixture
def pipeline(monkeypatch, capsys):
    """Runs one by name, and gives what it printed."""
    pytest.importorskip("featbank.pages.figure_drawing")
    pytest.importorskip("featbank.pages.report")
    pytest.importorskip("featbank.stages.map")
    monkeypatch.syspath_prepend(str(PIPELINES))

    def run(name, *args):
        importlib.import_module(name).main([*map(str, args)], standalone_mode=False)
        return capsys.readouterr().out

    return run
