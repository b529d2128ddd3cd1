import pytest

from featbank.backbones import BACKBONES
from featbank.sources import precision
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.precision import compute_dtype


@pytest.mark.parametrize(
    ("model", "native", "expected"),
    [
        ("vit-tiny", True, "bfloat16"),
        ("vit-tiny", False, "float32"),
        ("imagestats", True, "float32"),
    ],
)
def test_auto_takes_what_the_cpu_multiplies_in_hardware(monkeypatch, model, native, expected):
    monkeypatch.setattr(precision, "has_native_bfloat16", lambda: native)
    options = EmbedOptions(model=model, dataset="x", device="cpu")
    assert compute_dtype(BACKBONES[model], options) == expected


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_named_dtype_is_taken_as_named(monkeypatch, dtype):
    monkeypatch.setattr(precision, "has_native_bfloat16", lambda: dtype == "float32")
    options = EmbedOptions(model="vit-tiny", dataset="x", device="cpu", dtype=dtype)
    assert compute_dtype(BACKBONES["vit-tiny"], options) == dtype
