"""The session for a GPU machine, tried on the CPU with tiny sizes."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks.gpu_session.__main__ import PARTS, main
from tests.benchmarks.gpu_session.session import Session


@pytest.mark.slow
def test_every_part_runs_and_passes(tmp_path):
    words = [sys.executable, "-m", "tests.benchmarks.gpu_session"]
    done = subprocess.run(
        [*words, "--out", str(tmp_path), "--device", "cpu"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads((tmp_path / "gpu_session.json").read_text())
    names = {each["name"] for each in told["checks"]}
    assert {f"{part}: time" for part in PARTS} <= names
    assert sum(each["outcome"] == "PASS" for each in told["checks"]) > 15


def test_a_part_that_fails_is_told_and_stops_no_other(tmp_path, capsys):
    session = Session(device="cpu", folder=tmp_path)
    with session.part("ceilings"):
        raise RuntimeError("CUDA error: an illegal memory access\nmore")
    session.check("after it", is_right=True, rate=1.23456789)
    assert session.failed == 1
    out = capsys.readouterr().out
    assert "FAIL  ceilings: error RuntimeError: CUDA error: an illegal memory access, at " in out
    assert "PASS  after it: rate 1.235" in out


def test_a_machine_without_a_gpu_has_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu_session", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "error: device cuda: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
