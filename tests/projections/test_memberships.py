"""The fuzzy graph, against plain loops; umap-learn's own is asked in the slow contract tests."""

import numpy as np

from featbank.knn.search import nearest
from featbank.projections._memberships import fuzzy_graph, memberships


def make_graph(n=80, k=9, seed=0):
    X = np.random.default_rng(seed).gamma(1, size=(n, 5))
    similarity, index = nearest(X, X, k=k, exclude=np.arange(n))
    return index, np.maximum(1 - similarity, 0)


def test_strengths_sum_to_the_binary_logarithm_of_k():
    _, distances = make_graph()
    found = memberships(distances, k=10, nearest=distances[:, 0], typical=0.1)
    np.testing.assert_allclose(found.sum(axis=1), np.log2(10), atol=1e-4)
    np.testing.assert_array_equal(found[:, 0], 1)


def test_strength_falls_with_distance():
    _, distances = make_graph()
    found = memberships(distances, k=10, nearest=distances[:, 0], typical=0.1)
    assert (np.diff(found, axis=1) <= 0).all()


def test_a_sample_is_tied_alone_as_among_others():
    _, distances = make_graph()
    zeros = np.zeros(len(distances))
    together = memberships(distances, k=9, nearest=zeros, typical=0.1)
    alone = memberships(distances[7:8], k=9, nearest=zeros[:1], typical=0.1)
    assert together[7:8].tobytes() == alone.tobytes()


def test_ties_of_a_sample_are_no_narrower_than_a_thousandth_of_distances():
    close = np.array([[1e-6, 2e-6, 3e-6]])
    found = memberships(close, k=4, nearest=np.zeros(1), typical=0.5)
    np.testing.assert_allclose(found, np.exp(-close / 5e-4))
    mixed = np.array([[0.4, 0.4 + 1e-9, 0.4 + 1e-9]])
    found = memberships(mixed, k=4, nearest=mixed[:, 0], typical=9.0)
    np.testing.assert_allclose(found, np.exp(-(mixed - 0.4) / (1.2e-3 / 4)), atol=1e-9)


def test_graph_is_the_union_of_both_directions():
    index, distances = make_graph()
    ties = np.zeros((80, 80))
    strengths = memberships(distances, k=10, nearest=distances[:, 0], typical=0.1)
    for i in range(80):
        for j in range(9):
            ties[i, index[i, j]] = strengths[i, j]
    expected = ties + ties.T - ties * ties.T
    np.testing.assert_allclose(fuzzy_graph(index, distances).toarray(), expected, atol=1e-6)


def test_duplicates_are_tied_fully():
    index = np.array([[1, 2], [0, 2], [0, 1]])
    graph = fuzzy_graph(index, np.zeros((3, 2))).toarray()
    np.testing.assert_array_equal(graph, 1 - np.eye(3))


def test_two_samples_are_tied():
    graph = fuzzy_graph(np.array([[1], [0]]), np.array([[0.3], [0.3]])).toarray()
    np.testing.assert_array_equal(graph, [[0, 1], [1, 0]])
