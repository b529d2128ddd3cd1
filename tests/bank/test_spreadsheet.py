"""Cells of CSV files that a spreadsheet would run stand there as text, and give the text again."""

import csv

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.bank.prediction_files import write_predictions_file
from featbank.bank.spreadsheet import from_cell, plain_cells

RUN = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "=HYPERLINK(\"x\")",
       "'=1", "''=1", "-", "=", "+a"]  # fmt: skip
STAY = [
    "",
    "Forest",
    "-5",
    "+3.2e-1",
    "1",
    "a=b",
    "'quoted'",
    "'",
    "x-1",
    "-.5",
    "1e9",
    "a\\b",
    "a\\x",
    "\\u12",
    "Forêt/日本",
]


@pytest.mark.parametrize("text", RUN)
def test_a_formula_is_text(text):
    (cell,) = plain_cells(pa.array([text])).to_pylist()
    assert cell == f"'{text}"
    assert from_cell(cell) == text


@pytest.mark.parametrize("text", STAY)
def test_everything_else_stays(text):
    assert plain_cells(pa.array([text])).to_pylist() == [text]
    assert from_cell(text) == text


@given(st.lists(st.text(st.sampled_from("'=+-@\t\r\n1aé.\\xu0d\x1b\x85\u202e")), max_size=9))
def test_every_text_comes_back(texts):
    cells = plain_cells(pa.array(texts, pa.string())).to_pylist()
    assert [from_cell(cell) for cell in cells] == texts


ACTING = {
    "a\rb": r"a\x0db", "a\r\nb": r"a\x0d\x0ab", "\x1b[2J": r"\x1b[2J", "\t=1": r"\x09=1",
    "a\x00": r"a\x00", "a\x9b1": r"a\x9b1", "a\u202eb": r"a\u202eb", r"a\x0d": r"a\x5cx0d",
    r"\\x41": r"\\x5cx41", "=\r": r"'=\x0d", "'\n": r"'\x0a", "\\\x1b": r"\\x1b",
}  # fmt: skip


@pytest.mark.parametrize("text", ACTING, ids=repr)
def test_control_characters_are_written_out_and_come_back(text):
    (cell,) = plain_cells(pa.array([text])).to_pylist()
    assert cell == ACTING[text]
    assert from_cell(cell) == text


def test_a_carriage_return_in_an_id_makes_no_row_of_predictions(tmp_path):
    ids = ["a/1\r2", "b\n3", "c\x1b[31m"]
    table = pa.table({"sample_id": ids})
    write_predictions_file(tmp_path / "p.csv", table, {"probe": "p"}, lonlat=None)
    written = (tmp_path / "p.csv").read_bytes()
    assert b"\r" not in written
    assert b"\x1b" not in written
    assert written.count(b"\n") == 4
    with (tmp_path / "p.csv").open(newline="") as file:
        assert [from_cell(row["sample_id"]) for row in csv.DictReader(file)] == ids


def test_a_null_stays_null():
    assert plain_cells(pa.array([None, "=1"])).to_pylist() == [None, "'=1"]


def test_ids_of_predictions_are_found_again_and_numbers_stay_numbers(tmp_path):
    ids = ["=cmd|'/C calc'!A0/1", "-1", "plain", "@a"]
    table = pa.table({"sample_id": ids, "p_x": np.array([-0.5, 1, 2, 3], np.float32),
                      "labels": pa.array([["=a", "b"], [], ["-c"], None])})  # fmt: skip
    write_predictions_file(tmp_path / "p.csv", table, {"probe": "p"}, lonlat=None)
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [from_cell(row["sample_id"]) for row in rows] == ids
    assert all(not row["sample_id"].startswith(("=", "@", "+")) for row in rows)
    assert [float(row["p_x"]) for row in rows] == [-0.5, 1, 2, 3]
    assert [row["labels"] for row in rows] == ["'=a|b", "", "'-c", ""]
