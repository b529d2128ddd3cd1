"""The few-shot curve: means, spreads, and results on all samples beside them."""

import numpy as np
import pytest
from drawn_subject import make_subject

from featbank.pages.figures.few_shot_curve import few_shot_curve


@pytest.fixture
def few(tmp_path):
    subject = make_subject(tmp_path, write=False)
    return subject.results[2], subject.results[0][0]


def test_points_rise_from_the_fewest_shots(few):
    line = few_shot_curve([few[0]]).axes[0].containers[0].lines[0]
    assert line.get_xdata().tolist() == [1, 5, 20]
    assert line.get_ydata().tolist() == [0.31, 0.52, 0.66]


def test_bars_are_one_standard_deviation(few):
    bars = few_shot_curve([few[0]]).axes[0].containers[0].lines[2][0]
    halves = [np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()]
    np.testing.assert_allclose(halves, [0.06, 0.03, 0.01])


def test_all_training_samples_are_a_dashed_line(few):
    axes = few_shot_curve([few[0]], [few[1]]).axes[0]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in dashed] == [few[1].value]
    assert dashed[0].get_color() == axes.containers[0].lines[0].get_color()


def test_ticks_are_the_shots(few):
    axes = few_shot_curve([few[0]]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "5", "20"]
    assert axes.get_xscale() == "log"


def test_draws_are_told(few):
    assert "means of 5 draws" in few_shot_curve([few[0]])._supxlabel.get_text()
