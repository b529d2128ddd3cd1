"""The page as a file: what is in it whatever is lacking, and that it stays within its budget."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from fake_results import keep, one_class
from labelled_store import N as LABELLED
from labelled_store import make_labelled_store, make_labels
from report_bank import make_label_bank, make_map
from small_store import make_small_store
from test_packing import unpacked

from featbank.bank.bank import Bank
from featbank.errors import StoreError
from featbank.pages.figures import FigureSpec
from featbank.pages.figures.drawing.style import new_figure
from featbank.pages.report import write_report
from featbank.pages.report.drawings import draw_figures, page_figure
from featbank.pages.report.page import render_page
from featbank.pages.report.points import points_of
from featbank.stages.report.run import ReportOptions, gather_report


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make_label_bank(tmp_path_factory.mktemp("labels"))


def gather(bank, make=make_map, **options):
    return gather_report(ReportOptions(bank=bank, **options), make_map=make)


def data_of(html):
    return unpacked(re.search(r'id="map-data">([^<]*)<', html).group(1))


def small_bank(root, n=4, **columns):
    path = root / "stores" / "made" / "tiny-00000000.zarr"
    path.parent.mkdir(parents=True)
    make_small_store(path, [f"c{i}" for i in range(n)], np.eye(n), **columns)
    Bank(root).remember_newest(path)
    return root


def test_a_page_names_nothing_outside_itself(bank):
    html = render_page(gather(bank)).html
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', html) == []
    assert "url(" not in html.replace("url(#", "")
    assert "default-src 'none'; script-src 'sha256-" in unescape(html)


def test_labels_of_several_are_kept_as_bits(bank):
    header, arrays = data_of(render_page(gather(bank)).html)
    column = next(each for each in header["columns"] if each["key"] == "labels")
    bits = np.unpackbits(arrays["labels"].reshape(LABELLED, -1), axis=1, bitorder="little")
    wanted = np.maximum(make_labels(), 0)
    assert column["values"][2] == "inland waters, lakes"
    assert np.array_equal(bits[:, : wanted.shape[1]], wanted)


def test_right_and_wrong_are_those_of_the_predictions(bank):
    content = gather(bank)
    points = points_of(content)
    result = content.results[0][0].result
    said = content.subject.predictions(result)
    right = ((said.scores >= 0.5) == said.truth).all(axis=1)
    by_id = dict(zip(said.ids.tolist(), np.where(right, 0, 1).tolist(), strict=True))
    wanted = [by_id.get(sample, 2) for sample in points.header["ids"]]
    assert points.arrays[f"outcome-{result}"].tolist() == wanted


def test_places_keep_the_shape_of_the_map(bank):
    content = gather(bank)
    xy = points_of(content).arrays["xy"].astype(float)
    wanted = content.map.xy - content.map.xy.min(axis=0)
    assert np.allclose(xy / xy.max(), wanted / wanted.max(), atol=1e-4)


def test_too_many_points_are_drawn_by_chance_and_told(bank):
    html = render_page(gather(bank, max_points=50)).html
    header, arrays = data_of(html)
    assert (header["n"], len(arrays["xy"])) == (50, 100)
    assert header["ids"] != [f"chip-{i:03d}" for i in range(50)]
    assert f"50 of {LABELLED} samples, drawn by chance" in html


def test_the_same_content_gives_the_same_page(bank):
    content = gather(bank)
    assert render_page(content).html == render_page(content).html


def test_without_images_the_map_says_why(bank):
    html = render_page(gather(bank)).html
    assert "Points have no pictures: " in html
    assert "does not remember where the images are" in html.replace("&#39;", "'")


def test_names_cannot_break_out_of_the_page(tmp_path):
    evil = '<script>alert(1)</script>"'
    keep(tmp_path, "aa11", *one_class(0.5), model=evil, note=evil)
    html = render_page(gather(tmp_path, dataset="made", title=evil)).html
    assert evil not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize(
    "lacking",
    [
        {},
        {"n": 2},
        {"labels": {}},
        {"labels": {}, "splits": {}},
        {"refused": (1,)},
    ],
    ids=["no results", "two samples", "no labels", "no splits", "refused"],
)
def test_what_is_lacking_makes_a_smaller_page(tmp_path, lacking):
    written = write_report(gather(small_bank(tmp_path, **lacking)))
    html = written.path.read_text()
    assert "The bank holds no results" in html
    assert written.points == lacking.get("n", 4) - len(lacking.get("refused", ()))


def test_without_a_map_the_page_says_why(bank):
    html = render_page(gather(bank, make=None)).html
    assert "There is no map: the bank holds no map of the store" in html
    assert 'id="map-data"' not in html


def test_results_without_a_store_still_make_a_page(tmp_path):
    keep(tmp_path, "aa11", *one_class(0.5))
    html = render_page(gather(tmp_path, dataset="made")).html
    assert "featbank probe --protocol featbank-knn" in html


def spec_of(**changes):
    def draw(subject, options):
        figure = new_figure(2, 2)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], clip_on=True)
        axes.set_title("a title & more")
        return figure

    spec = FigureSpec(name="line", title="Line", summary="A line.", missing=lambda subject: "",
                      draw=draw)  # fmt: skip
    return replace(spec, **changes)


def fail_by(error):
    def draw(subject, options):
        raise error

    return draw


def test_figures_are_drawn_with_text_that_can_be_selected(bank):
    drawn, lines = draw_figures(gather(bank), {"line": spec_of()})
    assert "a title &amp; more</text>" in drawn[0].svg
    assert lines == []


def test_ids_of_two_drawings_never_meet():
    figure = spec_of().draw(None, None)
    both = [page_figure(figure, spec_of(), title="t", key=key) for key in ("a", "b")]
    ids = [set(re.findall(r'id="([^"]*)"', each.svg)) for each in both]
    assert ids[0]
    assert not ids[0] & ids[1]
    for each, known in zip(both, ids, strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([^")]*)', each.svg)) <= known


def test_a_figure_that_lacks_something_is_told(bank):
    drawn, lines = draw_figures(gather(bank), {"x": spec_of(missing=lambda subject: "tokens")})
    assert (drawn, lines) == ([], ["Line: needs tokens."])


def test_a_named_failure_is_a_line(bank):
    error = StoreError("store", "it is torn", "a whole one", "Embed again.")
    drawn, lines = draw_figures(gather(bank), {"x": spec_of(draw=fail_by(error))})
    assert (drawn, lines) == ([], [f"Line: {error}"])


def test_any_other_failure_is_not_hidden(bank):
    with pytest.raises(ZeroDivisionError):
        draw_figures(gather(bank), {"x": spec_of(draw=fail_by(ZeroDivisionError()))})


def test_a_figure_of_one_result_is_drawn_of_the_best(bank):
    content = gather(bank)
    seen = []
    line = spec_of().draw
    spec = spec_of(per_result=True, draw=lambda s, o: seen.append(s.results) or line(s, o))
    draw_figures(content, {"x": spec})
    assert seen == [(content.results[0],)]


def test_a_figure_of_few_shots_is_drawn_of_such_a_result(tmp_path):
    root = small_bank(tmp_path)
    keep(root, "aa11", *one_class(0.5))
    keep(root, "bb22", *one_class(0.5), shots=5, value=0.1)
    seen = []
    line = spec_of().draw
    spec = spec_of(
        per_result=True,
        missing=lambda s: "" if s.results[0][0].shots else "shots",
        draw=lambda s, o: seen.append(s.results[0][0].result) or line(s, o),
    )
    assert (draw_figures(gather(root), {"x": spec})[1], seen) == ([], ["bb22"])


def test_a_figure_of_all_is_drawn_for_each_label_set(tmp_path):
    root = small_bank(tmp_path)
    keep(root, "aa11", *one_class(0.5))
    keep(root, "bb22", *one_class(0.5), label_set="other")
    seen = []
    spec = spec_of(missing=lambda s: seen.append([r[0].label_set for r in s.results]) or "more")
    lines = draw_figures(gather(root), {"x": spec})[1]
    assert sorted(seen) == [["cover"], ["other"]]
    assert sorted(lines) == ["Line: labels cover: needs more.", "Line: labels other: needs more."]


def test_a_drawing_of_many_points_becomes_a_picture():
    rng = np.random.default_rng(0)

    def draw(subject, options):
        figure = new_figure(4, 4)
        # A size of its own makes each point a shape of its own.
        figure.subplots().scatter(*rng.normal(size=(2, 3000)), s=rng.uniform(3, 20, 3000))
        return figure

    few, many = (page_figure(spec.draw(None, None), spec, title="t", key="k")
                 for spec in (spec_of(), spec_of(draw=draw)))  # fmt: skip
    assert (bool(few.svg), bool(few.webp), bool(many.svg), bool(many.webp)) == (1, 0, 0, 1)


def test_figures_out_of_reports_are_not_asked(bank):
    assert draw_figures(gather(bank), {"x": spec_of(in_report=False)}) == ([], [])


def test_a_store_of_one_class_makes_a_page(tmp_path):
    path = tmp_path / "stores" / "made" / "none-00000000.zarr"
    path.parent.mkdir(parents=True)
    make_labelled_store(path)
    Bank(tmp_path).remember_newest(path)
    assert write_report(gather(tmp_path, labels="any")).points == LABELLED
