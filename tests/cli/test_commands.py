"""What each command prints, as text and as JSON."""

import json

import pytest
from fake_chips import write_chips

from featbank.cli.main import run

ROW = {"metric", "value", "low", "high", "n", "n_invalid", "n_train", "split", "split_scheme"}
ROW |= {"label_set", "class", "average", "threshold", "probe", "protocol", "feature", "layer"}
ROW |= {"params", "seed", "selected", "model", "dataset", "store", "recipe", "result"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("c")
    imagery = write_chips(root / "chips", chips=30)
    args = ["embed", "--model", "imagestats", "--dataset", str(imagery), "--workers", "0"]
    assert run([*args, "--bank", str(root / "bank")]) == 0
    return root


@pytest.fixture
def call(place, capsys):
    def run_and_read(*args):
        capsys.readouterr()
        assert run([*map(str, args)]) == 0
        return capsys.readouterr()

    return run_and_read


@pytest.fixture
def bank(place):
    return ("--bank", place / "bank")


def embed(place, *more):
    return ["embed", "--model", "imagestats", "--dataset", place / "chips", "--workers", "0", *more]


def test_the_first_line_of_embed_names_store_rate_and_bank(call, place, tmp_path):
    out = call(*embed(place, "--bank", tmp_path)).out.splitlines()[0]
    assert all(word in out for word in (".zarr: 90 of 90 rows", "chips/s", f"Bank: {tmp_path}."))


def test_embed_json_is_one_object(call, place, bank):
    found = json.loads(call(*embed(place, *bank), "--json").out)
    assert found["store"].endswith(".zarr")
    assert found["embed"]["n"] == 90


def test_dry_run_rehearses_everything_and_writes_nothing(call, place, tmp_path):
    out = call(*embed(place, "--bank", tmp_path / "b", "--dry-run")).out
    for word in ("bands", "red (uint8)", "normalise", "statistics", "mean", "bytes", "seconds"):
        assert word in out
    assert not (tmp_path / "b").exists()


def test_dry_run_names_what_would_be_refused(call, tmp_path):
    imagery = write_chips(tmp_path / "chips", chips=60)
    (imagery / "class2" / "07.png").write_text("torn")
    args = ["embed", "--model", "imagestats", "--dataset", imagery, "--workers", "0"]
    found = json.loads(call(*args, "--bank", tmp_path, "--dry-run", "--json").out)["dry_run"]
    assert list(found["refused"]) == ["class2/07"]


def test_probe_json_rows_have_the_columns_told(call, bank):
    found = json.loads(call("probe", "--clf", "knn", *bank, "--json").out)
    assert set(found["results"][0]) >= ROW
    assert [row["selected"] for row in found["results"]].index(True) == 0


def test_probe_json_has_no_nan(call, bank):
    assert "NaN" not in call("probe", "--clf", "knn", *bank, "--json").out


def test_probe_text_names_protocol_interval_and_bank(call, bank):
    out = call("probe", "--clf", "knn", *bank).out
    assert all(word in out for word in ("featbank-knn", "95 % interval", "class2", "Bank:"))


def test_probe_prints_the_confusion_matrix_on_request(call, bank):
    assert "Confusion on test" in call("probe", "--clf", "knn", *bank, "--confusion").out


def test_probe_runs_each_model_named(call, place, bank):
    models = ("--model", "imagestats", "--model", "imagestats", "--dataset", place / "chips")
    assert call("probe", "--clf", "knn", *models, *bank).out.count("By class, on test") == 2


def test_stores_lists_state_and_total(call, bank):
    out = call("stores", *bank).out
    assert "finished" in out
    assert out.splitlines()[-1].startswith("1 stores, ")


def test_stores_removes_one(call, place, tmp_path):
    found = json.loads(call(*embed(place, "--bank", tmp_path), "--json").out)
    assert "freed" in call("stores", "--remove", found["store"], "--bank", tmp_path).out
    assert json.loads(call("stores", "--bank", tmp_path, "--json").out) == {"stores": []}


def test_show_tells_recipe_and_command(call, bank):
    out = call("show", *bank).out
    assert all(word in out for word in ("recipe id", "featbank embed --model", "random-4"))


def test_models_are_listed_with_what_they_need(call):
    out = call("models").out
    assert all(word in out for word in ("vit-large", "GFLOP", "--weights", "--normalise", "rcf"))


def test_datasets_are_listed(call):
    assert "synthetic-s2" in call("datasets").out


@pytest.mark.parametrize("name", ["models", "datasets"])
def test_catalogs_as_json(call, name):
    assert json.loads(call(name, "--json").out)[name]


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_terminal(call, bank, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for args in (("models",), ("datasets",), ("stores", *bank), ("probe", "--clf", "knn", *bank)):
        lines = call(*args).out.splitlines()[:-1]
        assert max(map(len, lines)) <= width


def test_progress_shows_rate_and_time_left(monkeypatch, capsys):
    import io

    from featbank.cli import output

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(output.sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    with output.progress_bar("vit on chips", "chips") as progress:
        for done in range(0, 101, 10):
            progress(done, 100)
    assert "chips/s" in terminal.getvalue()
    assert "100/100" in terminal.getvalue()


def test_one_model_is_told_with_its_licence_and_statistics(call):
    out = " ".join(call("models", "dinov3-large-sat").out.split())
    assert "DINOv3 License" in out
    assert "sat493m" in out
