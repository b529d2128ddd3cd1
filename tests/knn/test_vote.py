"""The softmax-weighted vote, against a loop and against DINOv2's own."""

import math

import numpy as np
import pytest
from safetensors.numpy import load_file

from featbank.errors import ProbeError, UnknownNameError
from featbank.knn.search import nearest
from featbank.knn.vote import Weighting, neighbour_weights, vote, vote_labels


def looped_vote(similarity, labels, classes, k, temperature):
    scores = np.zeros((len(similarity), classes))
    for i, row in enumerate(similarity):
        weights = [math.exp(value / temperature) for value in row]
        for j in range(k):
            scores[i, labels[i, j]] += weights[j] / sum(weights)
    return scores


@pytest.fixture
def neighbours():
    rng = np.random.default_rng(0)
    similarity = -np.sort(-rng.uniform(-1, 1, size=(13, 9)), axis=1)
    return similarity, rng.integers(4, size=(13, 9))


@pytest.mark.parametrize("k", [1, 5, 9])
def test_vote_equals_a_loop(neighbours, k):
    scores = vote(*neighbours, 6, Weighting(k=k, temperature=0.07))
    np.testing.assert_allclose(scores, looped_vote(*neighbours, 6, k, 0.07), atol=1e-12)


def test_scores_of_all_neighbours_sum_to_one(neighbours):
    scores = vote(*neighbours, 4, Weighting(k=9, temperature=0.07))
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_a_tiny_temperature_lets_the_nearest_decide(neighbours):
    scores = vote(*neighbours, 4, Weighting(k=9, temperature=1e-6))
    np.testing.assert_array_equal(scores.argmax(axis=1), neighbours[1][:, 0])


def test_a_huge_temperature_counts_heads(neighbours):
    scores = vote(*neighbours, 4, Weighting(k=9, temperature=1e9))
    heads = [np.bincount(row, minlength=4) / 9 for row in neighbours[1]]
    np.testing.assert_allclose(scores, heads, atol=1e-8)


@pytest.mark.parametrize("k", [10, 20, 100, 200])
def test_scores_equal_dinov2(shared, k):
    golden = load_file(shared / "golden" / "knn.safetensors")
    similarity, index = nearest(golden["test_features"], golden["train_features"], k=200)
    labels = golden["train_labels"][index]
    scores = vote(similarity, labels, 5, Weighting(k=k, temperature=0.07))
    np.testing.assert_allclose(scores, golden[f"scores_k{k}"], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"k": 0}, "k: it is 0"),
        ({"k": 10}, "k: it is 10"),
        ({"temperature": 0.0}, "temperature: it is 0.0"),
        ({"classes": 3}, "labels: they range from 0 to 3"),
    ],
)
def test_options_out_of_range_are_refused(neighbours, change, culprit):
    options = {"classes": 4, "k": 9, "temperature": 0.07} | change
    classes = options.pop("classes")
    with pytest.raises(ProbeError, match=culprit):
        vote(*neighbours, classes, Weighting(**options))


def test_labels_of_another_shape_are_refused(neighbours):
    similarity, labels = neighbours
    with pytest.raises(ProbeError, match="their shape is"):
        vote(similarity, labels[0], 4, Weighting(k=9, temperature=0.07))


@pytest.fixture
def borne(neighbours):
    """Similarities (13, 9), rows (13, 9) into labels (40, 5) of 0 and 1."""
    rng = np.random.default_rng(1)
    labels = rng.integers(2, size=(40, 5)).astype(np.int8)
    return neighbours[0], np.stack([rng.permutation(40)[:9] for _ in range(13)]), labels


def test_votes_for_labels_equal_a_loop(borne):
    similarity, index, labels = borne
    scores = vote_labels(*borne, Weighting(k=9, temperature=0.07))
    for i in range(13):
        weights = [math.exp(value / 0.07) for value in similarity[i]]
        expected = sum(w * labels[j].astype(float) for w, j in zip(weights, index[i], strict=True))
        np.testing.assert_allclose(scores[i], expected / sum(weights), atol=1e-12)


def test_labels_that_hold_one_class_each_get_the_plain_vote(neighbours):
    similarity, classes = neighbours
    found = vote_labels(similarity, classes, np.eye(4), Weighting(k=9, temperature=0.07))
    plain = vote(similarity, classes, 4, Weighting(k=9, temperature=0.07))
    np.testing.assert_allclose(found, plain, atol=1e-12)


def test_a_label_that_all_or_no_neighbours_bear_is_certain(borne):
    similarity, index, labels = borne
    labels[:, 0], labels[:, 1] = 1, 0
    scores = vote_labels(similarity, index, labels, Weighting(k=9, temperature=0.07))
    np.testing.assert_allclose(scores[:, 0], 1, rtol=1e-15)
    assert scores[:, 1].max() == 0
    assert scores.max() <= 1


def test_a_vote_for_labels_needs_a_temperature(borne):
    with pytest.raises(ProbeError, match="temperature: it is 0"):
        vote_labels(*borne, Weighting(k=9, temperature=0.0))


def test_a_vote_for_labels_needs_one_row_a_similarity(borne):
    similarity, index, labels = borne
    with pytest.raises(ProbeError, match="their shape is"):
        vote_labels(similarity, index[:, 1:], labels, Weighting(k=8, temperature=0.07))


def test_exponential_weights_are_divided_by_the_sum_of_the_voters(neighbours):
    scores = vote(*neighbours, 4, Weighting(k=3, temperature=0.07, weights="exp"))
    first = [part[:, :3] for part in neighbours]
    np.testing.assert_allclose(scores, looped_vote(*first, 4, 3, 0.07), atol=1e-12)


def test_uniform_votes_of_five_take_six_levels(neighbours):
    scores = vote(*neighbours, 4, Weighting(k=5, temperature=0.07, weights="uniform"))
    heads = [np.bincount(row[:5], minlength=4) / 5 for row in neighbours[1]]
    np.testing.assert_allclose(scores, heads)


def test_fewer_votes_for_labels_equal_a_vote_of_fewer_neighbours(borne):
    similarity, index, labels = borne
    how = Weighting(k=4, temperature=0.1, weights="exp")
    expected = vote_labels(similarity[:, :4], index[:, :4], labels, how)
    np.testing.assert_allclose(vote_labels(*borne, how), expected)


def test_unknown_weights_are_refused(neighbours):
    with pytest.raises(UnknownNameError, match="Did you mean 'uniform'"):
        neighbour_weights(neighbours[0], Weighting(k=1, temperature=0.1, weights="unifomr"))
