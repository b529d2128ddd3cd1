"""The README's blocks run as they stand, paths replaced; its folder map is the tree."""

import os
import re
import shutil
import subprocess
import sys
from itertools import filterfalse
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def few(aid100, tmp_path_factory):
    """Nine scenes of each of twelve classes: what is tested is that the commands run."""
    folder = tmp_path_factory.mktemp("imagery") / "AID"
    for label in sorted(path for path in aid100.iterdir() if path.is_dir())[:12]:
        (folder / label.name).mkdir(parents=True)
        for scene in sorted(label.iterdir())[:9]:
            shutil.copy(scene, folder / label.name)
    return folder


@pytest.fixture(scope="module")
def places(shared, few, tiny_weights):
    return {
        "path/to/AID": str(few),
        "FILE": str(tiny_weights),
        "path/to/BigEarthNet": str(shared / "data" / "bigearthnet_v1"),
        "path/to/lists": str(shared / "data" / "bigearthnet_tables"),
        "path/to/EuroSAT": str(shared / "data" / "eurosat100"),
        # Five scenes of each class are for training.
        "--shots 1,5,10": "--shots 1,2,5",
        "--epochs 300 --batch-size 256": "--epochs 1 --batch-size 32",
        "--epochs 10": "--epochs 1",
        "--image-size 96": "--image-size 32",
    }


def needs_more(block):
    """The network, or the id of a result or checkpoint that the reader's own run has made."""
    return any(word in block for word in ("--download", "RESULT", "CHECKPOINT"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


def run_shell(text, folder, places):
    for name, path in places.items():
        text = text.replace(name, path)
    lines = [line for line in text.splitlines() if not line.startswith(". .venv")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "set -e\n" + "\n".join(lines)
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_real_run_and_what_follows_it(folder, places):
    told = ""
    for block in filterfalse(needs_more, blocks("sh")[1:]):
        done = run_shell(block, folder, places)
        assert done.returncode == 0, done.stderr
        told += done.stdout
    assert "finished" in told


@pytest.mark.slow
def test_the_python_block(folder, places, monkeypatch):
    monkeypatch.chdir(folder)
    namespace = {}
    exec(blocks("python")[0].replace("path/to/AID", places["path/to/AID"]), namespace)
    assert namespace["results"].loc[0, "metric"] == "accuracy"
    assert namespace["X"].shape == (60, 12)


def test_the_example_backbone_keeps_the_contract():
    import torch

    namespace = {}
    exec(blocks("python")[1], namespace)
    spec = namespace["SPECS"][0]
    out = spec.build(spec.config, {})(torch.rand(2, 3, 8, 8), layers=[0])
    assert out["mean"].shape == (2, 1, spec.describe(spec.config).dim)


def commands():
    lines = [
        line.split("#")[0].strip() for block in blocks("sh")[1:] for line in block.splitlines()
    ]
    return [line for line in lines if line.startswith("featbank ")]


@pytest.mark.parametrize("line", commands())
def test_every_command_is_one_that_featbank_takes(line):
    """Also those that need a download: their options parse, their names are in the catalogs."""
    import shlex

    from featbank.backbones import BACKBONES
    from featbank.cli.main import group
    from featbank.datasets import DATASETS
    from featbank.probes import PROBES

    name, *words = shlex.split(line)[1:]
    options = group.get_command(None, name).make_context(name, list(words)).params
    model = options.get("model") or "rcf"
    assert model in (*BACKBONES, "CHECKPOINT")
    assert (options.get("clf") or "knn") in PROBES
    dataset = options.get("dataset") or "folder"
    assert dataset in DATASETS or dataset.startswith("path/to/")


def test_the_two_commands_stand_first():
    assert [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()] == [
        "make demo",
        "make test",
    ]


def test_the_makefile_knows_the_two_commands():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {"demo", "test"} <= set(targets)


def test_every_folder_of_the_map_exists():
    named = re.findall(r"`((?:featbank|pipelines|tests)/[\w/]*)`", README)
    assert all((ROOT / name).is_dir() for name in named)


def test_every_room_is_on_the_map():
    rooms = {path.parent.name for path in (ROOT / "featbank").glob("*/__init__.py")}
    assert all(f"`featbank/{room}/`" in README for room in rooms)


def test_pictures_are_there():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_no_option_is_named_that_does_not_exist():
    from featbank.cli.main import group

    options = {
        option
        for name in group.list_commands(None)
        for parameter in group.get_command(None, name).params
        for option in parameter.opts
    }
    torchruns_own = {"--nproc-per-node", "--no-python"}
    assert set(re.findall(r"--[a-z][a-z-]+", README)) - torchruns_own <= options
