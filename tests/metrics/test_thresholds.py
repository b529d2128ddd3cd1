"""Tuned thresholds, against a search over every candidate."""

import numpy as np
import pytest
from sklearn.metrics import fbeta_score

from featbank.metrics.scoring.thresholds import best_threshold, tuned_thresholds


@pytest.fixture
def case():
    """400 samples; label 0 has 5 positives, 1 and 2 have plenty, 3 has none."""
    rng = np.random.default_rng(0)
    truth = (rng.uniform(size=(400, 4)) < [0, 0.3, 0.6, 0]).astype(np.int8)
    truth[:5, 0] = 1
    return truth, np.round(0.3 * truth + rng.uniform(size=(400, 4)) * 0.7, 2)


def searched(truth, scores):
    """The highest of the candidates with the greatest F2."""
    candidates = np.unique(scores)[::-1]
    values = [fbeta_score(truth.ravel(), scores.ravel() >= t, beta=2) for t in candidates]
    return candidates[int(np.argmax(values))]


@pytest.mark.parametrize("label", [1, 2])
def test_a_label_with_positives_takes_the_threshold_of_greatest_f2(case, label):
    truth, scores = case
    assert tuned_thresholds(*case).values[label] == searched(truth[:, label], scores[:, label])


@pytest.mark.parametrize("label", [0, 3])
def test_a_rare_label_takes_the_threshold_of_greatest_micro_f2(case, label):
    assert tuned_thresholds(*case).values[label] == searched(*case)


def test_pooled_labels_are_told(case):
    assert tuned_thresholds(*case).is_pooled.tolist() == [True, False, False, True]


def test_positives_are_told(case):
    assert tuned_thresholds(*case).positives[[0, 3]].tolist() == [5, 0]


def test_twenty_positives_are_enough():
    truth = np.zeros((60, 2), np.int8)
    truth[:20, 0], truth[:19, 1] = 1, 1
    scores = np.random.default_rng(0).uniform(size=(60, 2))
    assert tuned_thresholds(truth, scores).is_pooled.tolist() == [False, True]


def test_without_positives_the_threshold_is_a_half():
    assert best_threshold(np.zeros(9), np.linspace(0, 1, 9), beta=2) == 0.5


def test_equal_scores_say_yes_to_all():
    assert best_threshold(np.array([0, 1, 0]), np.full(3, 0.2), beta=2) == 0.2
