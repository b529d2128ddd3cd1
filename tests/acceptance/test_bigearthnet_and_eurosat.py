"""The two commands on real patches, typed into a shell as a user types them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from featbank.store.reader import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path):
    def run(*args):
        command = [sys.executable, "-m", "featbank", *map(str, args), "--bank", str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ)

    return run


def embedded(done):
    assert done.returncode == 0, done.stderr
    return Store(Path(done.stdout.split(".zarr:")[0] + ".zarr"))


def embed(shell, shared, dataset, root, *more, model="imagestats"):
    root = shared / "data" / root
    return shell("embed", "--model", model, "--dataset", dataset, "--data-root", root, *more)


@pytest.mark.parametrize(
    ("dataset", "count"), [("bigearthnet-s1", 9), ("bigearthnet-s2", 14), ("bigearthnet-s1s2", 6)]
)
def test_bigearthnet_v1_is_embedded_whole(shell, shared, dataset, count):
    lists = shared / "data" / "bigearthnet_tables"
    store = embedded(embed(shell, shared, dataset, "bigearthnet_v1", "--splits", lists))
    assert (len(store), int(store.valid.sum())) == (count, count)
    assert store.label_sets == ("19-class", "43-class")


def test_dofa_takes_both_sensors_as_one_chip(shell, shared):
    lists = shared / "data" / "bigearthnet_tables"
    more = ("--splits", lists, "--weights", "random", "--image-size", "32")
    store = embedded(
        embed(shell, shared, "bigearthnet-s1s2", "bigearthnet_v1", *more, model="dofa")
    )
    waves = store.attributes["recipe"]["model"]["config"]["wavelengths_um"]
    assert waves[:2] == [3.75, 3.75]
    assert len(waves) == 14
    assert np.isfinite(store.features()).all()


@pytest.mark.parametrize("sensor", ["s1", "s2"])
def test_bigearthnet_v2_without_metadata_says_so_in_the_first_line(shell, shared, sensor):
    done = embed(shell, shared, f"bigearthnet-{sensor}", "fixtures_real/BigEarthNet")
    assert set(embedded(done).split()) == {"unlabelled"}
    assert "no official split lists here: all samples are unlabelled" in done.stdout.splitlines()[0]


def test_a_probe_without_split_lists_names_the_file_to_fetch(shell, shared):
    embedded(embed(shell, shared, "bigearthnet-s1", "fixtures_real/BigEarthNet"))
    done = shell("probe", "--clf", "knn")
    assert done.returncode == 1
    assert "metadata.parquet" in done.stderr
    assert "--splits" in done.stderr


def test_eurosat_is_embedded_and_probed(shell, shared):
    store = embedded(embed(shell, shared, "eurosat-ms", "eurosat100", model="rcf"))
    assert store.split_schemes == ("random",)
    done = shell("probe", "--clf", "logistic", "--json")
    head = json.loads(done.stdout)["results"][0]
    assert (head["metric"], head["n"], head["selected"]) == ("accuracy", 20, True)
    # Ten classes of two test chips each: guessing scores .1.
    assert head["value"] > 0.4


def test_eurosat_rgb_bands_go_to_a_trained_network(shell, shared, tiny_weights):
    more = ("--bands", "rgb", "--weights", tiny_weights, "--normalise", "dataset")
    more += ("--image-size", "64")
    store = embedded(embed(shell, shared, "eurosat-ms", "eurosat100", *more, model="vit-tiny"))
    assert store.attributes["recipe"]["input"]["bands"] == ["B04", "B03", "B02"]


def test_pixels_that_are_noise_are_refused(shell, shared):
    done = embed(shell, shared, "bigearthnet-s1", "fixtures_noise/bigearthnet/v2")
    assert done.returncode == 1
    assert "are refused" in done.stderr
    assert "int16" in done.stderr
