"""Results in a notebook: a DataFrame in all that it does, with the headline shown first."""

import pickle

import pandas as pd
import pytest
from made_results import make_result

from featbank.bank.bank import Bank
from featbank.bank.result_frame import ResultFrame, whole_frame
from featbank.bank.results import read_results, to_frame, write_results


def rows(result="2" * 16, **changes):
    head = make_result(selected=True, low=0.7123, high=0.8877, result=result, **changes)
    by_class = [
        make_result(metric="f1", value=0.25 * k, class_name=f"<b>class {k}</b>", result=result)
        for k in range(4)
    ]
    return [head, *by_class]


@pytest.fixture
def frame():
    return ResultFrame(to_frame(rows()))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f[f["value"] > 0.2],
        lambda f: f.iloc[1:3],
        lambda f: f.loc[:, ["metric", "value"]],
        lambda f: f.sort_values("value"),
        lambda f: f.head(2),
        lambda f: f.copy(),
        lambda f: pd.concat([f, f]),
        lambda f: f.assign(extra=1),
        lambda f: f.query("metric == 'f1'"),
        lambda f: pickle.loads(pickle.dumps(f)),
    ],
)
def test_whatever_is_done_to_it_gives_its_own_class(frame, change):
    assert type(change(frame)) is ResultFrame


def test_a_column_is_a_plain_series(frame):
    assert type(frame["value"]) is pd.Series


def test_values_are_those_of_the_plain_frame(frame):
    pd.testing.assert_frame_equal(pd.DataFrame(frame), to_frame(rows()))
    assert frame.groupby("metric")["value"].mean()["f1"] == pytest.approx(0.375)


def test_it_is_written_and_read_as_any_frame(frame, tmp_path):
    frame.to_parquet(tmp_path / "r.parquet")
    assert pd.read_parquet(tmp_path / "r.parquet")["value"].tolist() == frame["value"].tolist()


def test_text_output_is_pandas_own(frame):
    assert repr(frame) == repr(pd.DataFrame(frame))


def test_the_headline_stands_with_value_interval_samples_and_protocol(frame):
    head = frame._repr_html_().split("<details>")[0]
    for text in ("0.800", "0.712 to 0.888", ">100<", "featbank-knn", "made", "official"):
        assert text in head
    assert "class 1" not in head


def test_every_row_is_in_the_fold(frame):
    fold = frame._repr_html_().split("<details>")[1]
    assert "all 5 rows" in fold
    assert [f"class {k}" in fold for k in range(4)] == [True] * 4


def test_a_class_name_never_becomes_a_tag(frame):
    assert "&lt;b&gt;class 1&lt;/b&gt;" in frame._repr_html_()
    assert "<b>" not in frame._repr_html_()


def test_columns_of_nothing_are_left_out(frame):
    html = frame._repr_html_()
    assert ">shots<" not in html
    assert ">note<" not in html


def test_a_note_is_shown():
    assert "leaky" in ResultFrame(to_frame(rows(note="leaky validation")))._repr_html_()


@pytest.mark.parametrize("part", [["metric", "value"], ["metric", "protocol", "selected"]])
def test_without_the_columns_of_a_headline_it_shows_as_pandas_does(frame, part):
    assert frame[part]._repr_html_() == pd.DataFrame(frame[part])._repr_html_()


def test_without_a_headline_it_shows_as_pandas_does(frame):
    others = frame[frame["metric"] == "f1"]
    assert others._repr_html_() == pd.DataFrame(others)._repr_html_()


def test_an_empty_frame_shows_itself():
    assert "<table" in ResultFrame()._repr_html_()


def test_html_is_left_out_where_the_user_says_so(frame):
    with pd.option_context("display.notebook_repr_html", False):
        assert frame._repr_html_() is None


def test_many_rows_are_cut_and_that_is_said():
    many = ResultFrame(pd.concat([to_frame(rows())] * 300, ignore_index=True))
    html = many._repr_html_()
    assert "all 1,500 rows (the first 1,000 are shown)" in html


def test_results_of_a_bank_have_a_headline_each(tmp_path):
    bank = Bank(tmp_path)
    for name in ("3" * 16, "4" * 16):
        write_results(bank, rows(name))
    read = ResultFrame(read_results(bank))
    assert read.headlines["result"].tolist() == ["3" * 16, "4" * 16]
    assert read._repr_html_().startswith('<div class="featbank-record">')


def test_columns_that_no_file_fills_are_there_and_empty(tmp_path):
    write_results(Bank(tmp_path), [make_result(selected=True)])
    frame = whole_frame(read_results(Bank(tmp_path)))
    assert list(frame.columns) == list(make_result().as_row())
    assert frame[["low", "high", "class"]].isna().all(axis=None)
    assert frame.loc[0, "value"] == 0.8


def test_a_bank_without_results_gives_an_empty_frame_of_all_columns(tmp_path):
    frame = whole_frame(read_results(Bank(tmp_path)))
    assert (len(frame), "value" in frame.columns) == (0, True)
    assert "<table" in frame._repr_html_()


def test_nan_and_missing_intervals_are_no_trouble():
    frame = ResultFrame(to_frame([make_result(selected=True, value=float("nan"))]))
    assert ">-<" in frame._repr_html_()
    assert "interval" not in frame._repr_html_()
