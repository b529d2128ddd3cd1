"""Names with control characters, brackets and dollars reach no terminal, SVG, page or table raw."""

import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from rich.console import Console
from small_store import make_small_store

import featbank
from featbank.bank.bank import Bank
from featbank.cli.main import run
from featbank.pages.catalog_table import print_rows
from featbank.pages.figures.drawing.style import headed, new_figure, save_figure
from featbank.pages.paper_tables.latex import escaped
from featbank.pages.paper_tables.markdown import _escaped
from featbank.pages.result_table import print_results
from featbank.pages.screen import Screen, named
from featbank.record_html import cell_html, table_html
from featbank.samples import LabelSet
from featbank.stages.probe.run import ProbeOptions, probe_store

EVIL = "a\x1b[31mb\u202ec\x07\x9bd[/x][red]e$f_$\r"
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """A store whose ids, classes and dataset are evil, and a probe of it."""
    root = tmp_path_factory.mktemp("evil") / "bank"
    path = root / "stores" / "made" / "tiny-00000000.zarr"
    path.parent.mkdir(parents=True)
    n = 60
    rng = np.random.default_rng(0)
    codes = (np.arange(n) % 3).astype(np.int32)
    classes = (EVIL, "[/]", "=cmd\n<script>")
    labels = {"kind": LabelSet(classes=classes, codes=codes)}
    ids = [f"{EVIL}/{k}" for k in range(n)]
    features = rng.normal(size=(n, 4)) + codes[:, None]
    make_small_store(path, ids, features, labels=labels, attributes={"dataset": EVIL})
    Bank(root).remember_newest(path)
    probe_store(ProbeOptions(clf="knn", store=path, bank=root, resamples=5, save=True))
    return root


COMMANDS = [["stores"], ["show", "STORE"], ["probe", "--clf", "knn", "--resamples", "6"],
            ["report", "--format", "md"], ["report", "--format", "latex"],
            ["figure", "class-distribution", "--out", "OUT"], ["map", "--projection", "pca"],
            ["show", EVIL], ["embed", "--model", EVIL, "--dataset", EVIL], [EVIL],
            ["predict", "--probe", EVIL, "STORE"], ["figure", EVIL]]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: ascii(" ".join(words))[:40])
def test_nothing_acting_reaches_the_terminal(bank, words, capsys, tmp_path):
    places = {"STORE": str(Bank(bank).stores()[0]), "OUT": str(tmp_path / "f.svg")}
    with_bank = [] if words[0] in ("show", EVIL) else ["--bank", str(bank)]
    run([*(places.get(word, word) for word in words), *with_bank])
    said = capsys.readouterr()
    assert not RAW.search(said.out.replace("\n", "")), ascii(said.out)
    assert not RAW.search(said.err.replace("\n", "")), ascii(said.err)
    assert "Traceback" not in said.err


def test_names_stand_in_tables_with_their_brackets(bank, capsys):
    print_results(featbank_rows(bank), console=Screen(width=200, file=io.StringIO()))
    print_rows([{"name": EVIL}], {"name": "name"}, fold=())
    out = capsys.readouterr().out
    assert "a\\x1b[31mb" in out
    assert "[/x][red]e" in out


def featbank_rows(bank):
    from featbank.lookup.subject_finding import results_of

    return results_of(Bank(bank))[0]


def test_a_screen_prints_what_is_no_markup_as_it_stands():
    out = io.StringIO()
    Screen(file=out, width=80).print("[/nothing] a\x1b[31mb")
    assert out.getvalue() == "[/nothing] a\\x1b[31mb\n"


def test_named_is_one_line_without_effect():
    out = io.StringIO()
    Console(file=out, width=80).print(named("[red]a\nb[/red]"))
    assert out.getvalue() == "[red]a\\nb[/red]\n"


@pytest.mark.parametrize("name", ["class-distribution", "confusion-matrix", "headlines"])
def test_an_svg_of_evil_names_is_xml(bank, name, tmp_path):
    figure = featbank.draw(name, store=Bank(bank).stores()[0], bank=bank)
    path = save_figure(figure, tmp_path / "f.svg")
    ElementTree.fromstring(path.read_bytes())
    assert not RAW.search(path.read_text())


@pytest.mark.parametrize("text", ["$\\frac", "a$b$c", "$$", "\\alpha", "\x00", EVIL])
@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_title_of_any_kind_is_drawn(text, suffix, tmp_path):
    figure = new_figure(3, 2)
    figure.subplots().set_xlabel(text)
    headed(figure, text)
    assert save_figure(figure, tmp_path / f"f{suffix}").stat().st_size > 0


def test_a_page_of_evil_names_holds_no_acting_sign(bank, tmp_path):
    path = featbank.report(store=Bank(bank).stores()[0], bank=bank, out=tmp_path / "r.html",
                           map="none")  # fmt: skip
    page = path.read_text(encoding="utf-8")
    assert not RAW.search(page.replace("\n", ""))
    assert "\\x1b[31m" in page


def test_records_hold_no_acting_sign():
    assert not RAW.search(cell_html(EVIL))
    assert not RAW.search(table_html([EVIL], [[EVIL]]))
    assert "<b>" not in cell_html("<b>")


def test_paper_tables_hold_no_acting_sign():
    assert not RAW.search(escaped(EVIL) + _escaped(EVIL))
    assert escaped("a\x1bb") == r"a\textbackslash{}x1bb"


def test_half_a_surrogate_pair_is_written_out():
    assert cell_html("\udcff") == "\\udcff"
