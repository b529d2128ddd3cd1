"""``featbank figure`` as it is typed."""

import json
from pathlib import Path

import matplotlib as mpl
import pytest
from drawn_subject import make_subject
from matplotlib.figure import Figure

import featbank
from featbank.cli.main import run


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    subject = make_subject(tmp_path_factory.mktemp("bank"))
    subject.bank.remember_newest(subject.store.path)
    return subject.bank.root


@pytest.fixture
def call(bank, capsys):
    def run_and_read(*args, code=0):
        assert run(["figure", *map(str, args), "--bank", str(bank)]) == code
        return capsys.readouterr()

    return run_and_read


def test_without_a_name_all_figures_are_listed(call):
    out = " ".join(call().out.split())
    assert "confusion-matrix" in out
    assert "Which class is taken for which" in out


def test_the_list_is_json_too(call):
    listed = json.loads(call("--json").out)["figures"]
    kinds = {each["name"]: each["per_result"] for each in listed}
    assert (kinds["confusion-matrix"], kinds["headlines"]) == (True, False)


def test_one_line_names_the_file(call, bank):
    out = call("class-distribution").out
    assert out == f"class-distribution: {bank}/figures/made-class-distribution.png.\n"
    assert (bank / "figures" / "made-class-distribution.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")]
)
def test_the_suffix_decides_the_format(call, tmp_path, suffix, start):
    call("headlines", "--out", tmp_path / "new" / f"x.{suffix}")
    assert (tmp_path / "new" / f"x.{suffix}").read_bytes().startswith(start)


def test_a_figure_of_one_result_says_which_it_took(call, tmp_path):
    out = " ".join(call("confusion-matrix", "--out", tmp_path / "x.png").out.split())
    assert "Of result " in out
    assert "the newest; others: " in out


def test_a_named_result_is_drawn(call, tmp_path):
    found = json.loads(call("confusion-matrix", "2", "--out", tmp_path / "x.png", "--json").out)
    assert [result[:3] for result in found["results"]] == ["203"]
    assert found["told"] == ""


def test_several_results_for_one_are_refused(call):
    err = call("confusion-matrix", "1", "2", code=2).err
    assert err == (
        "confusion-matrix: 2 results are named; expected one. "
        "Name the result that it is drawn of.\n"
    )


def test_what_is_missing_is_one_line(call):
    err = call("label-confusion", "1", code=1).err
    assert err == (
        "label-confusion: store tiny-00000003.zarr with 1 result lacks what it needs; expected "
        "samples that may bear several labels each. Name other results by their ids, or another "
        "store with --store or --dataset.\n"
    )


def test_an_unknown_figure_is_suggested(call):
    assert "Did you mean 'confusion-matrix'?" in call("confusion-matrx", code=1).err


def test_an_unknown_suffix_is_told_before_anything_is_drawn(call, tmp_path):
    err = call("headlines", "--out", tmp_path / "x.jpg", code=2).err
    assert "its suffix is '.jpg'; expected .svg or .png or .pdf." in err
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_line(call, tmp_path):
    (tmp_path / "file").write_text("")
    err = call("headlines", "--out", tmp_path / "file" / "x.png", code=1).err
    assert "cannot be written" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("class-scores", "--metric", "f3"), "no metric has this name"),
        (("class-distribution", "--labels", "covr"), "has no such label set"),
        (("class-distribution", "--split-scheme", "x"), "has no such scheme"),
        (("headlines", "zz"), "has this id"),
        (("headlines", "--dataset", "nowhere"), "holds no store of dataset 'nowhere'"),
    ],
)
def test_bad_input_is_one_line(call, args, said):
    err = call(*args, code=1).err
    assert said in err
    assert err.count("\n") == 1


def test_the_metric_is_drawn(call, tmp_path, bank):
    figure = featbank.draw("class-scores", "1", bank=bank, metric="f2")
    assert figure.get_suptitle().startswith("F2 of each class: made, split official")


def test_python_gives_a_figure(bank):
    figure = featbank.draw("confusion-matrix", "1", bank=bank)
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("turn", [1, 2])
def test_python_takes_a_store_and_its_path(bank, turn):
    path = next(Path(bank).glob("stores/*/*.zarr"))
    for store in (path, featbank.open_store(path)):
        assert (
            "N = 320" in featbank.draw("class-distribution", store=store, bank=bank).get_suptitle()
        )


def test_an_unknown_option_is_a_type_error(bank):
    with pytest.raises(TypeError, match="colour"):
        featbank.draw("headlines", bank=bank, colour="red")


def test_settings_of_matplotlib_that_lie_about_change_no_figure(call, tmp_path):
    plain, odd = tmp_path / "a.svg", tmp_path / "b.svg"
    call("class-distribution", "--out", plain)
    # As a matplotlibrc of the current folder has it.
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        call("class-distribution", "--out", odd)
        assert mpl.rcParams["font.size"] == 30
    assert plain.read_bytes() == odd.read_bytes()
