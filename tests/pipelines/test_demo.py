"""What ``make demo`` runs, on few chips."""

import re
from pathlib import Path

import pytest

from featbank.store.reader import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_folder_takes_the_place_of_the_landscape(pipeline, chips, tmp_path):
    out, bank = tmp_path / "out", tmp_path / "bank"
    where = ("--data-root", chips, "--bank", bank, "--out", out, "--limit", 4)
    told = pipeline("demo", *where, "--weights", "random", "--image-size", 32)
    assert told.splitlines()[-1] == f"Look at it: {out / 'report.html'}"
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")[:300]
    stages = [line.split(":")[0] for line in told.splitlines() if re.search(r": \d+\.\d s$", line)]
    assert stages[-2:] == ["map", "report"]
    models = {path.name.rsplit("-", 1)[0]: Store(path) for path in bank.glob("stores/*/*.zarr")}
    assert set(models) == {"imagestats", "rcf", "vit-tiny"}
    # Four of train and of val; test has three.
    assert {len(store) for store in models.values()} == {11}


def test_make_demo_runs_it():
    recipe = (ROOT / "Makefile").read_text().split("\ndemo: setup\n")[1].split("\n\n")[0]
    assert "pipelines/demo.py" in recipe
