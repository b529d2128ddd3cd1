"""DINOv2 on EuroSAT100, with untrained weights at the least size: what is tested is the run."""

import pytest

from featbank.store.reader import Store

pytestmark = pytest.mark.slow


def test_every_table_and_figure_that_applies_is_written(pipeline, shared, tmp_path):
    out, bank = tmp_path / "out", tmp_path / "bank"
    where = ("--data-root", shared / "data" / "eurosat100", "--bank", bank, "--out", out)
    small = ("--weights", "random", "--image-size", 28, "--dataset", "eurosat-ms")
    told = pipeline("dinov2_eurosat", *where, *small, "--limit", 40, "--epochs", 1)
    assert told.splitlines()[-1] == f"Look at it: {out / 'report.html'}"
    assert "few-shot: left out, it needs 100 training samples of each class." in told
    drawn = {path.stem for path in out.glob("*.svg")}
    assert drawn == {path.stem for path in out.glob("*.png")}
    expected = {"class-distribution", "class-scores", "feature-map", "headlines", "examples"}
    expected |= {"confusion-matrix-featbank-logistic", "cases-featbank-logistic", "cost"}
    assert expected <= drawn
    assert "confusion" not in " ".join(line for line in told.splitlines() if "left out" in line)
    assert {"confusion-matrix-featbank-finetune", "cases-featbank-finetune"} <= drawn
    (store,) = map(Store, bank.glob("stores/eurosat-ms/dinov2-base-*.zarr"))
    assert store.attributes["recipe"]["input"]["bands"] == ["B04", "B03", "B02"]
    for table in (out / "tables.md", out / "tables.tex"):
        assert "AnnualCrop" in table.read_text()
