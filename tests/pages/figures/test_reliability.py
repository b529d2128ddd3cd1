"""The reliability diagram: bars of accuracy, gaps to the confidence, counts."""

import numpy as np
import pytest
from drawn_subject import CLASSES, make_predictions, make_truth

from featbank.metrics.scoring.calibration import reliability
from featbank.pages.figures.reliability import reliability_diagram


@pytest.fixture(params=[False, True], ids=["classes", "labels"])
def said(request):
    truth = make_truth(CLASSES[3], multilabel=request.param, n=150)
    return make_predictions(np.arange(150), truth, CLASSES[3], skill=0.3)


def test_bars_are_the_accuracy_of_each_bin(said):
    bins = reliability(said.truth, said.scores)
    filled = bins.count > 0
    bars, gaps = reliability_diagram(said).axes[0].containers
    np.testing.assert_allclose([bar.get_height() for bar in bars], bins.accuracy[filled])
    np.testing.assert_allclose([bar.get_x() for bar in bars], bins.edges[:-1][filled])
    tops = [gap.get_y() + gap.get_height() for gap in gaps]
    np.testing.assert_allclose(tops, bins.confidence[filled])


def test_counts_stand_below(said):
    bins = reliability(said.truth, said.scores)
    heights = [bar.get_height() for bar in reliability_diagram(said).axes[1].patches]
    np.testing.assert_array_equal(heights, bins.count)


def test_the_error_is_the_mean_gap():
    truth, scores = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1]] * 4)
    assert reliability(truth, scores).error == pytest.approx(0.4)


def test_the_caption_tells_the_error(said):
    figure = reliability_diagram(said)
    error = reliability(said.truth, said.scores).error
    assert f"ECE {error:.3f}".replace("0.", ".") in figure._supxlabel.get_text().replace("\n", " ")
