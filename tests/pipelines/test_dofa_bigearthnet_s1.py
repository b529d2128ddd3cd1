"""DOFA on made Sentinel-1 patches, with untrained weights at the least size."""

import pytest
from fake_bigearthnet import make_v1_radar

pytestmark = pytest.mark.slow


def test_both_nomenclatures_get_their_tables_and_figures(pipeline, tmp_path):
    root, bank, out = make_v1_radar(tmp_path / "ben", 150), tmp_path / "bank", tmp_path / "out"
    where = ("--data-root", root, "--bank", bank, "--out", out)
    told = pipeline("dofa_bigearthnet_s1", *where, "--weights", "random", "--image-size", 32)
    for labels in ("19-class", "43-class"):
        drawn = {path.stem for path in (out / labels).glob("*.svg")}
        expected = {"class-distribution", "label-correlation", "map-panels", "class-scores",
                    "label-confusion-htcv-2024-mlp", "headlines"}  # fmt: skip
        assert expected <= drawn, told
        assert (out / labels / "tuned-f2" / "class-scores.svg").exists()
        tables = (out / labels / "tables.md").read_text()
        assert all(f"htcv-2024-{probe}" in tables for probe in ("forest", "linear", "mlp"))
        assert f"Look at it: {out / labels / 'report.html'}" in told
    assert len(list(bank.glob("stores/bigearthnet-s1/dofa-*.zarr"))) == 1
