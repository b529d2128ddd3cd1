"""The confusion matrix: truth in rows, decisions in columns, shares of rows."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as reference

from featbank.bank.results import Predictions
from featbank.pages.figures.confusion_matrix import confusion_matrix, confusion_shares

CLASSES = ("water", "wood", "town")
TRUTH = np.array([0, 0, 0, 1, 1, 0])
SAID = np.array([0, 1, 1, 1, 1, 0])


@pytest.fixture
def predictions():
    scores = np.eye(3)[SAID]
    return Predictions(ids=np.arange(6), split="test", truth=TRUTH, scores=scores, classes=CLASSES)


@pytest.fixture
def axes(predictions):
    return confusion_matrix(predictions).axes[0]


def test_counts_are_those_of_scikit_learn(predictions):
    counts, _ = confusion_shares(predictions)
    np.testing.assert_array_equal(counts, reference(TRUTH, SAID, labels=[0, 1, 2]))


def test_rows_are_truth_and_add_up_to_one(axes):
    drawn = axes.images[0].get_array()
    np.testing.assert_allclose(drawn[:2], [[0.5, 0.5, 0], [0, 1, 0]])
    assert axes.get_ylabel() == "true class (samples)"


def test_a_class_without_samples_is_masked(axes):
    assert axes.images[0].get_array().mask[2].all()


def test_cells_tell_share_and_count(axes):
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "50 %\n2", (1, 0): "50 %\n2", (1, 1): "100 %\n2"}


def test_names_tell_the_samples_of_each_class(axes):
    names = [
        label.get_text().replace("\N{NO-BREAK SPACE}", " ") for label in axes.get_yticklabels()
    ]
    assert names == ["water (4)", "wood (2)", "town (0)"]


def test_many_classes_are_numbered():
    classes = [f"kind {k}" for k in range(20)]
    truth = np.arange(20)
    said = Predictions(ids=truth, split="test", truth=truth, scores=np.eye(20), classes=classes)
    axes = confusion_matrix(said).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()][:2] == ["1", "2"]
    assert axes.get_yticklabels()[1].get_text().endswith("(1)  2")
    assert {text.get_text() for text in axes.texts} == {"1"}
