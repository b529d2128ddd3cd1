"""Which labels go together: phi as Pearson's correlation, counts and shares of pairs."""

import numpy as np
import pytest
from drawn_subject import CLASSES, make_subject, make_truth
from scipy.stats import pearsonr

from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.label_correlation import (
    cooccurrence,
    label_cooccurrence,
    label_correlation,
    phi,
)

LABELS = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]], dtype=np.int8)
NAMES = ("water", "wood", "town")


def test_phi_is_the_correlation_of_each_pair():
    values = phi(LABELS)
    expected = pearsonr(LABELS[:, 0], LABELS[:, 1]).statistic
    assert values[0, 1] == values[1, 0] == pytest.approx(expected)


def test_phi_of_a_label_that_nothing_bears_is_not_known():
    assert np.isnan(phi(LABELS)[2]).all()
    assert np.isnan(phi(LABELS)[:, 2]).all()


def test_shares_are_of_the_row():
    labels = np.array([[1, 1], [0, 1], [0, 1], [0, 1]], dtype=np.int8)
    counts, shares = cooccurrence(labels)
    np.testing.assert_array_equal(counts, [[1, 1], [1, 4]])
    np.testing.assert_allclose(shares, [[1, 1], [0.25, 1]])


def test_the_matrix_is_drawn_as_it_is():
    image = label_correlation(LABELS, NAMES).axes[0].images[0]
    np.testing.assert_allclose(image.get_array().filled(np.nan), phi(LABELS))
    assert image.get_clim() == (-1, 1)


def test_counts_stand_in_the_cells():
    texts = label_cooccurrence(LABELS, NAMES).axes[0].texts
    cells = {text.get_position(): text.get_text() for text in texts}
    assert cells == {(0, 0): "3", (1, 0): "2", (0, 1): "2", (1, 1): "3"}


def test_weak_correlations_of_many_labels_are_colours_alone():
    labels = make_truth(CLASSES[43], multilabel=True)
    axes = label_correlation(labels, CLASSES[43]).axes[0]
    shown = {t.get_position() for t in axes.texts}
    values = phi(labels)
    strong = {(c, r) for r, c in np.argwhere(np.abs(np.nan_to_num(values)) >= 0.1) if r != c}
    assert shown == strong


def test_training_samples_are_taken(tmp_path):
    subject = make_subject(tmp_path, multilabel=True, write=False)
    figure = FIGURES["label-correlation"].draw(subject, FigureOptions())
    train = subject.store.labels()[subject.store.split() == "train"]
    np.testing.assert_allclose(figure.axes[0].images[0].get_array().filled(np.nan), phi(train))
    assert f"train: made, split official, N = {len(train)}" in figure.get_suptitle()
