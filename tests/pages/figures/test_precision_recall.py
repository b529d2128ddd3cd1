"""Precision against recall: the curves of scikit-learn, the ends named."""

import numpy as np
import pytest
from drawn_subject import CLASSES, make_predictions, make_truth
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve

from featbank.pages.figures.precision_recall import curve_of, precision_recall, thinned


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=40))
def test_curves_are_those_of_scikit_learn(samples):
    truth, scores = (np.array(side) for side in zip(*samples, strict=True))
    curve = curve_of(truth, scores)
    if not truth.any():
        assert curve is None
        return
    precision, recall, _ = precision_recall_curve(truth, scores)
    np.testing.assert_allclose(curve.recall[1:], recall[:-1][::-1])
    np.testing.assert_allclose(curve.precision[1:], precision[:-1][::-1])
    assert curve.average_precision == pytest.approx(average_precision_score(truth, scores))


def lines(count, multilabel=True):
    classes = CLASSES[count]
    truth = make_truth(classes, multilabel=multilabel, n=200)
    said = make_predictions(np.arange(200), truth, classes, skill=0.2)
    return said, precision_recall(said).axes[0]


def test_few_classes_are_all_named():
    _, axes = lines(3)
    named = [text.get_text().split("  AP")[0] for text in axes.get_legend().get_texts()]
    assert named[0] == "all pooled (micro)"
    assert set(named[1:]) == {"water", "wood"}


def test_of_many_classes_the_best_and_the_worst_are_named():
    said, axes = lines(43)
    scores = {
        name: average_precision_score(said.truth[:, k], said.scores[:, k])
        for k, name in enumerate(said.classes)
        if said.truth[:, k].any()
    }
    ranked = sorted(scores, key=lambda name: -scores[name])
    named = [
        t.get_text().replace("\n", " ").split("  AP")[0] for t in axes.get_legend().get_texts()
    ]
    assert named == ["all pooled (micro)", *ranked[:3], *ranked[-3:]]
    assert len(axes.lines) == len(scores) + 1


def test_the_pooled_curve_ends_at_the_share_of_positives():
    said, axes = lines(3)
    pooled = axes.lines[0]
    assert pooled.get_ydata()[-1] == pytest.approx(said.truth.mean())
    assert pooled.get_xdata()[-1] == 1


def test_one_class_a_sample_is_taken_one_against_the_rest():
    said, axes = lines(3, multilabel=False)
    expected = average_precision_score(said.truth == 0, said.scores[:, 0])
    text = next(t.get_text() for t in axes.get_legend().get_texts() if "water" in t.get_text())
    assert text.endswith(f"{expected:.3f}".removeprefix("0"))


def test_long_curves_keep_both_ends():
    kept = thinned(500_000)
    assert (kept[0], kept[-1]) == (0, 499_999)
    assert len(kept) <= 1000
