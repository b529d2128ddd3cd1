"""Hub ids: fetched when named, one line where the hub does not give them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_hub import save_model, serve_hub


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("hub") / "tiny", "vit", mean=[0.5, 0.5, 0.5])


def fetch(address, home, *, may_download=True):
    """Ask for lab/tiny in a process of its own: the library reads its address once."""
    code = (
        "from featbank.downloads.hub import hub_folder\n"
        "from featbank.errors import FeatbankError\n"
        "try:\n"
        f"    print(hub_folder('lab/tiny', may_download={may_download}))\n"
        "except FeatbankError as error:\n"
        "    print(error)\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home)}
    environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "5"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert not done.stderr
    return done.stdout.strip()


def test_a_named_model_is_fetched_whole(model, tmp_path):
    with serve_hub(model) as address:
        folder = fetch(address, tmp_path)
    held = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    assert held == {path.name: path.read_bytes() for path in model.iterdir()}


def test_what_was_fetched_is_found_without_a_network(model, tmp_path):
    with serve_hub(model) as address:
        first = fetch(address, tmp_path)
    assert fetch(address, tmp_path, may_download=False) == first


def test_a_model_without_access_is_told_in_one_line(model, tmp_path):
    with serve_hub(model, error="GatedRepo") as address:
        line = fetch(address, tmp_path)
    assert line.startswith("lab/tiny: the hub gives it only to those it has granted access")
    assert "https://huggingface.co/lab/tiny" in line
    assert line.count("\n") == 0


def test_an_unknown_model_is_told_in_one_line(model, tmp_path):
    with serve_hub(model, error="RepoNotFound") as address:
        line = fetch(address, tmp_path)
    assert line.startswith("lab/tiny: the hub knows no such model")


def test_a_model_that_may_not_be_fetched_says_how_to(tmp_path):
    line = fetch("http://127.0.0.1:9", tmp_path, may_download=False)
    assert line.startswith("lab/tiny: its weights are not on this machine")
    assert "--download" in line


def test_a_hub_out_of_reach_is_told_in_one_line(tmp_path):
    line = fetch("http://127.0.0.1:9", tmp_path)
    assert line.startswith("lab/tiny: the hub cannot be reached")


def test_dinov3_without_access_is_one_line_at_the_command_line(model, tmp_path):
    words = ["embed", "--model", "dinov3-small", "--download", "--dataset", "synthetic-rgb"]
    with serve_hub(model, error="GatedRepo") as address:
        done = subprocess.run(
            [sys.executable, "-m", "featbank", *words, "--bank", str(tmp_path / "bank")],
            env={**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("facebook/dinov3-vits16-pretrain-lvd1689m: the hub gives it only to")
    assert "Traceback" not in done.stderr
