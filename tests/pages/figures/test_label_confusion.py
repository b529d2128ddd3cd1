"""One 2 × 2 matrix a label, by the thresholds that are asked for."""

import numpy as np
import pytest
from drawn_subject import make_predictions, make_truth
from sklearn.metrics import multilabel_confusion_matrix

from featbank.errors import UsageError
from featbank.pages.figures.label_confusion import label_confusion, label_counts

CLASSES = ("water", "wood", "town")
TRUTH = make_truth(CLASSES, multilabel=True, n=50)


@pytest.fixture
def predictions():
    return make_predictions(np.arange(50), TRUTH, CLASSES, skill=0.2)


@pytest.mark.parametrize("threshold", ["0.5", "tuned-f2"])
def test_counts_are_those_of_scikit_learn(predictions, threshold):
    decided = predictions.scores >= predictions.thresholds[threshold]
    expected = multilabel_confusion_matrix(TRUTH, decided)
    np.testing.assert_array_equal(label_counts(predictions, threshold), expected)


def test_a_score_at_its_threshold_is_a_yes(predictions):
    predictions.scores[:] = 0.5
    assert label_counts(predictions, "0.5")[:, :, 0].sum() == 0


def test_each_panel_tells_its_label(predictions):
    axes = label_confusion(predictions, threshold="tuned-f2").axes
    counts = label_counts(predictions, "tuned-f2")
    for panel, name, cell in zip(axes, CLASSES, counts, strict=True):
        assert panel.get_title().startswith(name)
        assert [int(t.get_text().split("\n")[0]) for t in panel.texts] == cell.ravel().tolist()


def test_truth_is_down_and_decision_across(predictions):
    panel = label_confusion(predictions).axes[0]
    wrong_yes = panel.texts[1]
    assert wrong_yes.get_position() == (1.5, 0.5)
    assert int(wrong_yes.get_text().split("\n")[0]) == label_counts(predictions, "0.5")[0, 0, 1]


def test_empty_places_of_the_grid_stay_empty():
    classes = [f"kind {k}" for k in range(8)]
    truth = make_truth(classes, multilabel=True, n=20)
    axes = label_confusion(make_predictions(np.arange(20), truth, classes, skill=0.2)).axes
    assert [panel.axison for panel in axes] == [True] * 8 + [False] * 6


def test_unknown_thresholds_are_one_line(predictions):
    with pytest.raises(UsageError, match=r"--threshold best: .* expected one of 0.5, tuned-f2"):
        label_confusion(predictions, threshold="best")
