"""DOFA on made Sentinel-1 patches, with untrained weights at the least size."""

import pytest
from fake_bigearthnet import make_v1_radar

import featbank


@pytest.fixture
def _few_steps(monkeypatch):
    """MLPs of a few steps: what is tested is not how well they learn."""
    whole = featbank.probe

    def probe(**asked):
        is_mlp = "mlp" in (asked.get("protocol") or asked["clf"])
        return whole(**asked, params={"min_steps": 20, "epochs": 1} if is_mlp else {})

    monkeypatch.setattr(featbank, "probe", probe)


@pytest.mark.slow
@pytest.mark.usefixtures("_few_steps")
def test_a_nomenclature_gets_its_tables_figures_and_page(pipeline, tmp_path):
    root, bank, out = make_v1_radar(tmp_path / "ben", 100), tmp_path / "bank", tmp_path / "out"
    where = ("--data-root", root, "--bank", bank, "--out", out, "--labels", "19-class")
    small = ("--weights", "random", "--image-size", 32, "--seeds", 1)
    told = pipeline("dofa_bigearthnet_s1", *where, *small)
    folder = out / "19-class"
    drawn = {path.stem for path in folder.glob("*.svg")}
    expected = {"class-distribution", "label-correlation", "map-panels", "class-scores"}
    expected |= {"label-confusion-htcv-2024-mlp", "headlines"}
    assert expected <= drawn, told
    assert (folder / "tuned-f2" / "class-scores.png").exists()
    tables = (folder / "tables.md").read_text()
    assert all(f"htcv-2024-{probe}" in tables for probe in ("forest", "linear", "mlp"))
    assert told.splitlines()[-1] == f"Look at it: {folder / 'report.html'}"
    assert len(list(bank.glob("stores/bigearthnet-s1/dofa-*.zarr"))) == 1


def test_both_nomenclatures_of_the_study_are_asked_by_default(load):
    assert load("dofa_bigearthnet_s1").main.make_context("dofa", []).params["labels"] == (
        "19-class",
        "43-class",
    )
