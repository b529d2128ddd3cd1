"""``embed --compile``: the same store in other last digits, told in the run log."""

import numpy as np
import pytest
from torch import nn
from tracing_compiler import tracing_compiler

import featbank
from featbank.bank import runlog
from featbank.errors import UsageError

OPTIONS = {"weights": "random", "chips": 10, "batch_size": 4, "image_size": 32, "workers": 0,
           "device": "cpu", "dtype": "float32", "normalise": "half"}  # fmt: skip


@pytest.fixture
def traced():
    with tracing_compiler() as shapes:
        yield shapes


def embedded(bank, **more):
    return featbank.embed("vit-tiny", "synthetic-rgb", bank=bank, **{**OPTIONS, **more})


def test_the_last_batch_is_filled_up_to_the_size_that_is_compiled(traced, tmp_path):
    store = embedded(tmp_path / "compiled", compile=True)
    assert {shape[0] for shape in traced} == {4}
    np.testing.assert_allclose(store.features(), embedded(tmp_path / "plain").features(), rtol=1e-4)


def test_it_is_no_part_of_the_recipe_and_stands_in_the_run_log(traced, tmp_path):
    compiled, plain = embedded(tmp_path / "a", compile=True), embedded(tmp_path / "b")
    assert compiled.attributes["recipe_id"] == plain.attributes["recipe_id"]
    found = [[line["compiled"] for line in runlog.read(s.path)] for s in (compiled, plain)]
    assert found == [[True], [False]]


def test_a_run_that_does_not_compile_says_so_in_the_run_log(monkeypatch, tmp_path):
    def broken(self, **told):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(nn.Module, "compile", broken)
    store = embedded(tmp_path, compile=True)
    assert [line["compiled"] for line in runlog.read(store.path)] == [False]


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        ("vit-tiny", {"deterministic": True}, "--deterministic forbids"),
        ("imagestats", {"weights": None, "normalise": None}, "has no transformer blocks"),
    ],
)
def test_what_cannot_be_compiled_is_refused_before_anything_is_written(
    model, more, words, tmp_path
):
    options = {**OPTIONS, **more}
    if model == "imagestats":
        options = {"chips": 10, "device": "cpu"}
    with pytest.raises(UsageError, match=f"^--compile: .*{words}"):
        featbank.embed(model, "synthetic-rgb", bank=tmp_path / "bank", compile=True, **options)
    assert not (tmp_path / "bank").exists()
