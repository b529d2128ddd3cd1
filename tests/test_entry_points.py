"""A backbone, a dataset and a probe, each added by one new file of somebody else's."""

import json
import os
import subprocess
import sys

import pytest

BACKBONE = """
from featbank.backbones import BackboneSpec, Provides

class Mean:
    def __new__(cls):
        from torch import nn

        class Network(nn.Module):
            def forward(self, x, *, layers, with_tokens=False):
                return {"mean": x.mean(dim=(2, 3)).unsqueeze(1)}

        return Network().eval()

SPECS = (
    BackboneSpec(
        name="band-mean", summary="mean of each band", config={"channels": 3},
        default_feature="mean", image_size=None, normalise="dataset", compute_dtype="float32",
        takes_weights=False, licence="", weights_from="none needed",
        describe=lambda config: Provides(features=("mean",), dim=config["channels"]),
        build=lambda config, state: Mean(),
    ),
)
"""
DATASET = """
from dataclasses import dataclass
import numpy as np
from featbank.bands import Band
from featbank.datasets import Dataset, DatasetSpec
from featbank.image import Grid
from featbank.samples import LabelSet, Samples

@dataclass(frozen=True)
class Stripes:
    def read(self, index):
        rng = np.random.default_rng(index)
        return {"g": (rng.integers(0, 500, (2, 8, 8)) + 4000 * (index % 2)).astype(np.uint16)}

def open_stripes(request):
    ids = np.array([f"s{i:03d}" for i in range(60)], dtype=object)
    codes = (np.arange(60) % 2).astype(np.int32)
    return Dataset(
        name="stripes", root=None, bands=(Band(name="x", unit="DN"), Band(name="y", unit="DN")),
        grids=(Grid(name="g", bands=("x", "y"), dtype="uint16"),),
        samples=Samples(
            ids=ids, origins=ids,
            labels={"bright": LabelSet(classes=("no", "yes"), codes=codes)},
        ),
        reader=Stripes(), processing="made", licence="CC0-1.0", citation="",
    )

SPECS = (
    DatasetSpec(name="stripes", title="made", bands=(), size="60", processing="made",
                licence="CC0-1.0", citation="", open=open_stripes, needs_root=False),
)
"""
PROBE = """
from featbank.probes import ProbeSpec

def build(params, seed):
    from sklearn.neighbors import NearestCentroid
    from sklearn.naive_bayes import GaussianNB
    return GaussianNB(**params)

SPECS = (
    ProbeSpec(name="bayes", summary="Gaussian naive Bayes", build=build,
              defaults={"var_smoothing": 1e-9}, source="scikit-learn's default"),
)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder on the path that looks like an installed distribution with three entry points."""
    site = tmp_path_factory.mktemp("site")
    for name, text in (("my_backbone", BACKBONE), ("my_dataset", DATASET), ("my_probe", PROBE)):
        (site / f"{name}.py").write_text(text)
    info = site / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[featbank.backbones]\nmine = my_backbone\n"
        "[featbank.datasets]\nmine = my_dataset\n"
        "[featbank.probes]\nmine = my_probe\n"
    )
    return {**os.environ, "PYTHONPATH": str(site), "FEATBANK_BANK": str(site / "bank")}


def featbank(environment, *args):
    command = [sys.executable, "-m", "featbank", *args, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_backbone_is_listed(environment):
    assert "band-mean" in {row["name"] for row in featbank(environment, "models")["models"]}


def test_the_dataset_is_listed(environment):
    assert "stripes" in {row["name"] for row in featbank(environment, "datasets")["datasets"]}


def test_all_three_work_together(environment):
    embedded = featbank(environment, "embed", "--model", "band-mean", "--dataset", "stripes")
    assert embedded["embed"]["embedded"] == 60
    probed = featbank(environment, "probe", "--clf", "bayes")
    assert (probed["results"][0]["protocol"], probed["results"][0]["value"]) == (
        "featbank-bayes",
        1.0,
    )


def test_a_broken_entry_point_is_one_clear_line(environment, tmp_path):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[featbank.backbones]\nbad = no_such_module\n")
    command = [sys.executable, "-m", "featbank", "models"]
    env = {**environment, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "featbank.backbones:bad" in done.stderr
