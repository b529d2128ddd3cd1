"""Bad input to a probe: one clear line, nothing half-written."""

import shutil

import numpy as np
import pytest
import zarr
from layered_store import N, make_layered_store

from featbank.cli.main import run


@pytest.fixture
def refused(tmp_path, capsys):
    """Run a probe that must fail, and give its one line."""

    def probe(store, *args, code=1):
        asked = ("--store", str(store), "--bank", str(tmp_path / "bank"), *args)
        assert run(["probe", *asked]) == code
        assert not (tmp_path / "bank").exists()
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1
        return err

    return probe


def test_a_store_with_a_hole(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr")
    shutil.rmtree(path / "cls" / "c")
    err = refused(path, "--clf", "knn")
    assert f"{path}/cls/c/0/0/0: is missing" in err
    assert "remove it and embed again" in err


def test_a_store_whose_valid_features_are_nan(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr")
    array = zarr.open_array(path / "cls", mode="r+").with_config({"write_empty_chunks": True})
    array[...] = np.nan
    err = refused(path, "--clf", "knn")
    assert "features of 240 valid samples are missing or not finite" in err
    assert "remove it and embed again" in err


def test_a_store_that_is_not_finished(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr")
    shutil.rmtree(path / "commit" / "c")
    assert "featbank embed" in refused(path, "--clf", "knn")


def test_a_store_that_is_not_there(refused, tmp_path):
    assert "nowhere.zarr" in refused(tmp_path / "nowhere.zarr", "--clf", "knn")


def test_features_that_are_not_numbers(refused, tmp_path):
    features = np.ones((N, 4, 6))
    features[7] = np.nan
    path = make_layered_store(tmp_path / "vit.zarr", features=features)
    assert "the first is 'chip-007'" in refused(path, "--clf", "logistic")


def test_one_class_only(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr", codes=np.ones(N, int))
    assert "hold one class, 'water'; expected two classes or more" in refused(path, "--clf", "mlp")


def test_more_neighbours_than_samples(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr")
    assert "k: it is 500 and the training set has n_samples" in refused(
        path, "--clf", "knn", "--k", "500"
    )


def test_more_shots_than_samples(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr")
    err = refused(path, "--clf", "knn", "--k", "1", "--shots", "50")
    assert err.startswith("--shots 50: class 'forest' has fewer training samples")


def test_a_protocol_on_a_store_of_too_few_layers(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr", layers=(11,))
    err = refused(path, "--protocol", "dinov2-linear-frozen")
    assert "Embed it with --layers -4,-3,-2,-1" in err


def test_a_protocol_that_is_not_there(refused, tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr")
    assert "Did you mean 'dinov2-knn'?" in refused(path, "--protocol", "dinov2-knm")


@pytest.mark.parametrize(
    "args",
    [
        ("--clf", "mlp", "--protocol", "dinov2-knn"),
        ("--protocol", "dinov2-knn", "--layer", "8"),
        (),
    ],
)
def test_options_that_clash(refused, tmp_path, args):
    path = make_layered_store(tmp_path / "vit.zarr")
    assert "expected" in refused(path, *args, code=2)


@pytest.mark.parametrize(("value", "told"), [("nonsense", "nonsense"), ("NaN", "nan")])
def test_text_where_a_number_is_meant(refused, tmp_path, value, told):
    path = make_layered_store(tmp_path / "vit.zarr")
    err = refused(path, "--clf", "logistic", "--param", f"C={value}", code=2)
    assert err.startswith(f"--param C: it is '{told}'; expected a finite number")


@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_strength_that_is_no_positive_number(refused, tmp_path, value):
    path = make_layered_store(tmp_path / "vit.zarr")
    assert "expected" in refused(path, "--clf", "logistic", "--param", f"C={value}")


@pytest.mark.parametrize("names", [",", "group,", "group,,season"])
def test_an_empty_name_between_commas(names, capsys):
    assert run(["probe", "--clf", "knn", "--by", names]) == 2
    assert f"'--by': '{names}' holds an empty name; expected names" in capsys.readouterr().err
