"""Cells of CSV files that a spreadsheet would run stand there as text, and give the text again."""

import csv

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.bank.prediction_files import write_predictions_file
from featbank.bank.spreadsheet import from_cell, plain_cells

RUN = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"x\")",
       "'=1", "''=1", "-", "=", "+a", "\n=1"]  # fmt: skip
STAY = ["", "Forest", "-5", "+3.2e-1", "1", "a=b", "'quoted'", "'", "x-1", "-.5", "1e9"]


@pytest.mark.parametrize("text", RUN)
def test_a_formula_is_text(text):
    (cell,) = plain_cells(pa.array([text])).to_pylist()
    assert cell == f"'{text}"
    assert from_cell(cell) == text


@pytest.mark.parametrize("text", STAY)
def test_everything_else_stays(text):
    assert plain_cells(pa.array([text])).to_pylist() == [text]
    assert from_cell(text) == text


@given(st.lists(st.text(st.sampled_from("'=+-@\t\r\n1aé.")), max_size=9))
def test_every_text_comes_back(texts):
    cells = plain_cells(pa.array(texts, pa.string())).to_pylist()
    assert [from_cell(cell) for cell in cells] == texts


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
