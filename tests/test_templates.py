"""The templates that the docs show work as a package of somebody else's."""

import json
import re
import subprocess
import sys
from pathlib import Path

import other_words
import pytest
from third_party import ROOT, blocks, declare, environment, install, templates, write_coast

NAMES = {
    "models": "band-mean",
    "datasets": "coast-chips",
    "methods": "denoising",
    "protocols": "featbank-bayes",
}
CONTRACTS = {
    "backbone": "band-mean",
    "dataset": "coast-chips",
    "probe": "bayes",
    "method": "denoising",
    "figure": "confidence",
}
OTHERS = {
    "adapter": "band-sum",
    "metric": "wrong-share",
    "projection": "two-axes",
    "publication": "somebody",
}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def coast(tmp_path_factory):
    """Environment of a process that has the package, its imagery, and a bank."""
    folder = tmp_path_factory.mktemp("coast")
    site = install(folder / "site", templates())
    (site / "other_words.py").write_text(Path(other_words.__file__).read_text())
    declare(site, "other-words", other_words.ENTRY_POINTS)
    write_coast(folder / "data" / "coast-chips")
    return environment(site, folder / "data", FEATBANK_BANK=str(folder / "bank"))


def run(env, *words):
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)


def featbank(env, *words):
    done = run(env, "featbank", *map(str, words), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def embedded(coast):
    return featbank(coast, "embed", "--model", "band-mean", "--dataset", "coast-chips")


@pytest.fixture(scope="module")
def probed(coast, embedded):
    return featbank(coast, "probe", "--clf", "bayes", "--store", embedded["store"])


def test_each_kind_has_a_template_and_an_entry_point():
    (toml,) = blocks("docs/architecture.md", "toml")
    named = {f"{value.replace('.', '/')}.py" for value in re.findall(r'= "(coast\.\w+)"', toml)}
    assert named == set(templates())
    assert len(named) == len(CONTRACTS)


@pytest.mark.parametrize("command", NAMES)
def test_it_is_listed(coast, command):
    assert NAMES[command] in {row["name"] for row in featbank(coast, command)[command]}


def test_the_dataset_is_embedded_by_the_backbone(embedded):
    assert embedded["embed"]["embedded"] == 60
    assert embedded["embed"]["refused"] == {}


def test_the_probe_tells_what_the_mean_shows(probed):
    (headline, *_) = probed["results"]
    assert (headline["protocol"], headline["value"]) == ("featbank-bayes", 1.0)


def test_the_probe_is_refused_for_several_labels_in_one_line(coast, embedded):
    words = ("probe", "--clf", "bayes", "--labels", "seen", "--store", embedded["store"])
    done = run(coast, "featbank", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "probe 'bayes'" in done.stderr


def test_the_figure_is_drawn(coast, probed, tmp_path):
    path = tmp_path / "confidence.png"
    result = probed["results"][0]["result"]
    assert featbank(coast, "figure", "confidence", result, "--out", path)["figure"] == "confidence"
    assert path.read_bytes().startswith(PNG)


def test_the_method_makes_a_checkpoint(coast):
    shape = ("--model", "vit-tiny", "--image-size", 32, "--steps", 3, "--batch-size", 8)
    shape += ("--workers", 0)
    words = ("pretrain", "--method", "denoising", "--dataset", "coast-chips")
    made = featbank(coast, *words, *shape)
    assert made["pretrain"]["done"] == 3
    assert (Path(made["checkpoint"]) / "encoder.safetensors").is_file()


@pytest.fixture(scope="module")
def judged(coast):
    """Outcome of each contract test of the entries, by its id."""
    kinds = {**CONTRACTS, **OTHERS}
    files = [f"tests/contracts/test_{kind}_contract.py" for kind in kinds]
    chosen = ("-k", " or ".join(kinds.values()))
    words = ("pytest", "-q", "-rA", "-n", "0", "-p", "no:cacheprovider")
    told = run(coast, *words, *chosen, *files).stdout
    rows = re.findall(r"^(PASSED|FAILED|ERROR) (\S+)", told, flags=re.MULTILINE)
    return {test: outcome for outcome, test in rows}


def outcomes(judged, entry):
    return {test: outcome for test, outcome in judged.items() if re.search(rf"\b{entry}\b", test)}


@pytest.mark.parametrize("kind", CONTRACTS)
def test_it_keeps_the_contract_of_its_kind(judged, kind):
    found = outcomes(judged, CONTRACTS[kind])
    assert len(found) > 5
    assert set(found.values()) == {"PASSED"}, found


@pytest.mark.parametrize("kind", OTHERS)
def test_contracts_do_not_judge_words(judged, kind):
    found = outcomes(judged, OTHERS[kind])
    assert len(found) > 2
    assert set(found.values()) == {"PASSED"}, found


def test_a_broken_entry_point_is_one_clear_line(tmp_path):
    declare(tmp_path, "broken", {"featbank.backbones": {"bad": "no_such_module"}})
    done = run(environment(tmp_path, tmp_path), "featbank", "models")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "featbank.backbones:bad" in done.stderr
