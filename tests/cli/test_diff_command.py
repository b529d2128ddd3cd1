"""``featbank diff`` on the terminal."""

import json

import numpy as np
import pytest
from small_store import changed, make_small_store

from featbank.cli.main import run

N = 24
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    root, ids = tmp_path_factory.mktemp("diff"), [f"chip-{row}" for row in range(N)]
    recipe = changed("dataset.processing", "a long text about processing " * 4)
    made = {
        "a": make_small_store(root / "a.zarr", ids, X),
        "b": make_small_store(root / "b.zarr", ids, X * 1.001, attributes={"recipe": recipe}),
        "c": make_small_store(root / "c.zarr", [f"x{row}" for row in range(N)], X),
    }
    return {name: str(store.path) for name, store in made.items()}


@pytest.fixture
def call(capsys):
    def run_and_read(*args):
        capsys.readouterr()
        return run(["diff", *args]), capsys.readouterr()

    return run_and_read


def test_the_last_line_is_the_verdict(call, stores):
    code, out = call(stores["a"], stores["b"])
    assert (code, out.err) == (0, "")
    assert out.out.splitlines()[-1].startswith("Same samples, features differ by at most ")


def test_tables_fit_a_narrow_terminal(call, stores, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    # Paths and the verdict are whole lines, for copying.
    lines = call(stores["a"], stores["b"])[1].out.splitlines()[2:-1]
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_the_page_tells_causes_samples_and_distances(call, stores):
    text = call(stores["a"], stores["b"])[1].out
    for words in ("processing level", "Samples, joined on sample id", "CKA", "Lowest cosine: sam"):
        assert words in text


def test_few_samples_for_many_dimensions_are_told(call, tmp_path):
    ids, wide = [f"c{row}" for row in range(3)], np.arange(15.0).reshape(3, 5) ** 2
    paths = [str(make_small_store(tmp_path / f"{k}.zarr", ids, wide * k).path) for k in (1, 2)]
    assert "Fewer samples than dimensions" in call(*paths)[1].out


def test_json_has_the_verdict_and_all_numbers(call, stores):
    found = json.loads(call(stores["a"], stores["b"], "--json")[1].out)
    assert found["verdict"].startswith("Same samples")
    assert (found["first"], found["samples"]["both"]) == (stores["a"], N)
    assert found["recipe"][0]["field"] == "dataset.processing"
    assert found["features"][0]["max_abs"] == pytest.approx(np.abs(X).max() * 1e-3, rel=1e-2)


@pytest.mark.parametrize(
    ("second", "code", "words"),
    [("a", 2, "both names are of one store"), ("c", 1, "no sample is in both")],
)
def test_bad_input_is_one_line(call, stores, second, code, words):
    found, out = call(stores["a"], stores[second])
    assert (found, out.out, out.err.count("\n")) == (code, "", 1)
    assert words in out.err


def test_a_missing_store_is_one_line(call, stores, tmp_path):
    code, out = call(stores["a"], str(tmp_path / "no.zarr"))
    assert (code, out.err.count("\n")) == (1, 1)


def test_one_store_alone_is_a_usage_error(call, stores):
    assert call(stores["a"])[0] == 2
