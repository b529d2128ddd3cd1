"""The cost table: sizes from the catalog, speed and memory from the run logs."""

import pytest
from small_store import RECIPE, changed, make_small_store

from featbank.backbones import BACKBONES
from featbank.bank import runlog
from featbank.bank.bank import Bank
from featbank.lookup.costs import cost_rows
from featbank.pages.figures.cost import cost_table

LINE = {"device": "cpu", "instructions": "AVX2", "threads": 2, "batch_size": 64, "workers": 1}


def logged(root, model, *lines, size=224):
    recipe = changed("input.image_size", size, RECIPE)
    recipe = changed("model.config", {"channels": 3}, recipe)
    path = Bank(root).stores_folder / "made" / f"{model}-00000000.zarr"
    make_small_store(path, ["a", "b"], [[1.0], [2.0]],
                     attributes={"model": model, "recipe": recipe})  # fmt: skip
    for line in lines:
        runlog.append(path, LINE | line)
    return path


def test_speed_is_of_all_shards(tmp_path):
    lines = {"rows": 100, "seconds": 4.0, "peak_bytes": 5}, {"rows": 20, "seconds": 2.0}
    row = cost_rows([logged(tmp_path, "vit-tiny", *lines)])[0]
    assert (row["chips"], row["chips_per_second"], row["peak_bytes"]) == (120, 20, 5)
    assert row["peak_device_bytes"] is None


def test_size_is_that_of_the_catalog(tmp_path):
    row = cost_rows([logged(tmp_path, "vit-tiny", {"rows": 1, "seconds": 1.0})])[0]
    spec = BACKBONES["vit-tiny"]
    provides = spec.describe(spec.config)
    assert (row["parameters"], row["gflop"]) == (provides.parameters, provides.gflop)


def test_operations_at_another_size_are_not_told(tmp_path):
    row = cost_rows([logged(tmp_path, "vit-tiny", {"rows": 1, "seconds": 1.0}, size=112)])[0]
    assert row["gflop"] is None


def test_a_model_that_the_catalog_does_not_know_has_no_size(tmp_path):
    row = cost_rows([logged(tmp_path, "hf:some/model", {"rows": 1, "seconds": 1.0})])[0]
    assert (row["parameters"], row["gflop"]) == (None, None)


def test_each_device_is_a_row_and_is_held_against_the_cpu(tmp_path):
    lines = {"rows": 100, "seconds": 10.0}, {"rows": 100, "seconds": 0.5, "device": "H200"}
    fast, slow = cost_rows([logged(tmp_path, "vit-tiny", *lines)])
    assert (fast["device"], fast["times_cpu"]) == ("H200", 20)
    assert (slow["device"], slow["times_cpu"]) == ("cpu", None)


def test_a_store_without_a_log_gives_no_row(tmp_path):
    assert cost_rows([logged(tmp_path, "vit-tiny")]) == []


@pytest.fixture
def cells(tmp_path):
    lines = {"rows": 100, "seconds": 4.0, "peak_bytes": 2_500_000_000}
    axes = cost_table(cost_rows([logged(tmp_path, "vit-tiny", lines)])).axes[0]
    texts = [text.get_text() for text in axes.texts]
    half = len(texts) // 2
    return dict(zip(texts[:half], texts[half:], strict=True))


def test_the_table_tells_them(cells):
    assert cells["model"] == "vit-tiny"
    assert cells["parameters"] == "5.5 M"
    assert (cells["chips/s"], cells["memory"], cells["on device"]) == ("25", "2.5 GB", "-")
