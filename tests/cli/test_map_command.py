"""``featbank map`` as it is typed."""

import json

import pytest
from labelled_store import CLASSES, make_labelled_store

from featbank.bank.bank import Bank
from featbank.cli.main import run


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("bank")
    Bank(root).remember_newest(make_labelled_store(root / "stores" / "made" / "none-1.zarr"))
    return root


@pytest.fixture
def call(bank, capsys):
    def run_and_read(*args, code=0):
        assert run(["map", "--projection", "pca", "--bank", str(bank), *map(str, args)]) == code
        return capsys.readouterr()

    return run_and_read


def test_the_page_tells_purity_class_by_class(call):
    out = call().out
    assert "Share of the 15 nearest chips that bear the class too" in out
    lines = [line.split() for line in out.splitlines()]
    row = next(line for line in lines if line[:2] == ["rice", "fields"])
    chips, *shares = row[2:]
    assert int(chips) > 1
    assert all(0 <= float(share) <= 1 for share in shares)
    assert any(line[:4] == ["mean", "of", "classes", "399"] for line in lines)
    # Nothing bears snow.
    assert not any(line[:1] == ["snow"] for line in lines)


def test_the_page_tells_how_far_to_believe_the_map(call):
    out = " ".join(call().out.split())
    assert "made by none; pca of mean, layer 0; seed 0; 400 chips." in out
    assert "trustworthiness ." in out
    assert "Of the 15 chips nearest to a chip in the 8 features" in out


def test_the_last_line_names_the_file_and_whether_it_stood_there(call, bank):
    first, second = (call("--seed", 5).out.splitlines()[-1] for _ in range(2))
    assert first.endswith(f": 400 chips. Bank: {bank}.")
    assert second.endswith(f": 400 chips found. Bank: {bank}.")


def test_json_holds_all(call):
    told = json.loads(call("--json", "--fit-samples", 100).out)
    assert (told["n"], told["n_fitted"]) == (400, 100)
    assert told["map"].endswith(f"{told['id']}.parquet")
    assert 0 < told["quality"]["trustworthiness"] <= 1
    assert told["purity"]["classes"] == list(CLASSES)
    assert told["purity"]["on_map"][-1] is None
    assert told["recipe"]["projection"] == "pca"


@pytest.mark.parametrize(
    ("suffix", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_the_map_is_drawn_where_asked(call, tmp_path, suffix, head):
    path = tmp_path / f"map.{suffix}"
    assert f"{path}: drawn." in call("--out", path, "--by", "split").out
    assert path.read_bytes().startswith(head)


def test_colours_need_a_file(call):
    assert "--by: nothing is drawn" in call("--by", "split", code=2).err


def test_an_unknown_suffix_is_told_before_the_map_is_made(call, bank, tmp_path):
    before = sorted((bank / "maps").glob("*"))
    err = call("--out", tmp_path / "map.bmp", "--seed", 77, code=2).err
    assert "its suffix is '.bmp'; expected .svg or .png or .pdf" in err
    assert sorted((bank / "maps").glob("*")) == before


def test_an_unknown_colour_is_one_line(call, tmp_path):
    err = call("--out", tmp_path / "map.png", "--by", "rice field", code=1).err
    assert "Did you mean 'rice fields'?" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--projection", "tsne"], 1, "tsne: no projection has this name; expected one of pca"),
        (["--neighbors", "9"], 2, "--neighbors: projection 'pca' has no such parameter"),
        (["--labels", "covers"], 1, "Did you mean 'cover'?"),
        (["--store", "nowhere.zarr"], 1, "nowhere.zarr"),
    ],
)
def test_bad_input_is_one_line(call, options, code, message):
    err = call(*options, code=code).err
    assert message in err
    assert err.count("\n") == 1
