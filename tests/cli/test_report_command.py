"""``featbank report`` as it is typed."""

import json

import pytest
from report_bank import make_label_bank

import featbank
from featbank.cli.main import run


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make_label_bank(tmp_path_factory.mktemp("labels"))


@pytest.fixture
def call(bank, capsys):
    def run_and_read(*args, code=0):
        assert run(["report", "--bank", str(bank), *args]) == code
        return capsys.readouterr()

    return run_and_read


def test_the_last_line_names_the_page_and_its_size(call, bank):
    last = call("--map", "none").out.splitlines()[-1]
    page = bank / "reports" / "made.html"
    assert last == f"{page}: {page.stat().st_size / 1e6:.1f} MB. Bank: {bank}."


def test_json_names_the_page(call, bank, tmp_path):
    found = json.loads(call("--map", "none", "--json", "--out", str(tmp_path / "a.html")).out)
    assert found["page"] == str(tmp_path / "a.html")
    assert found["bytes"] == (tmp_path / "a.html").stat().st_size


def test_latex_goes_to_the_terminal(call):
    out = call("--format", "latex").out
    assert out.count(r"\begin{table}") == out.count(r"\end{table}") == 3
    assert out.isascii()


def test_markdown_goes_to_a_file_that_is_named(call, tmp_path):
    call("--format", "md", "--out", str(tmp_path / "tables.md"))
    assert "| Probe | Thresholds | F2 (macro) |" in (tmp_path / "tables.md").read_text()


def test_a_result_stands_for_itself(call, bank):
    result = featbank.read_results(bank).result.iloc[0]
    out = call("--format", "md", result[:8]).out
    assert out.count("By class: ") == 1


def test_a_title_is_taken(call, tmp_path):
    call("--map", "none", "--title", "Five < six", "--out", str(tmp_path / "a.html"))
    assert "<h1>Five &lt; six</h1>" in (tmp_path / "a.html").read_text()


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["zz"], 1, "zz: no result in"),
        (["--labels", "moon"], 1, "moon: none-00000000.zarr has no such label set"),
        (["--dataset", "moon"], 1, "holds neither a finished store nor a result"),
        (["--out", "/proc/featbank/page.html"], 1, "it cannot be written"),
        (["--store", "nowhere.zarr"], 1, "nowhere.zarr"),
    ],
)
def test_bad_input_is_one_line(call, args, code, told):
    err = call(*args, code=code).err
    assert told in err
    assert len(err.splitlines()) == 1


def test_the_front_door_gives_the_path(bank, tmp_path):
    for _ in range(2):
        found = featbank.report(bank=bank, out=tmp_path / "page.html", map="none")
        assert found == tmp_path / "page.html"
    assert found.read_text().startswith("<!doctype html>")


def test_the_front_door_takes_a_store(bank, tmp_path):
    store = featbank.open_store(next((bank / "stores" / "made").glob("*.zarr")))
    assert featbank.report(store=store, bank=bank, out=tmp_path / "a.html", map="none").exists()
