"""The plane of most variance, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from featbank.projections._principal_plane import PrincipalPlane


def make_features(n=300, d=12, seed=0):
    rng = np.random.default_rng(seed)
    mix = np.linalg.qr(rng.normal(size=(d, d)))[0] * np.geomspace(5, 0.1, d)
    return (rng.normal(size=(n, d)) @ mix + 3).astype(np.float32)


def test_plane_is_scikit_learns_up_to_sign():
    X = make_features()
    reference = PCA(2, svd_solver="full").fit_transform(X.astype(np.float64))
    xy = PrincipalPlane(X).xy
    sign = np.sign((reference * xy).sum(axis=0))
    np.testing.assert_allclose(xy, reference * sign, atol=1e-4)


@pytest.mark.parametrize("turn", [[1, 1], [-1, 1], [1, -1], [-1, -1]])
def test_greatest_entry_of_an_axis_is_positive_whatever_way_the_data_point(turn):
    X = make_features(d=2) * np.array(turn, dtype=np.float32)
    axes = PrincipalPlane(X).axes
    assert (axes[[0, 1], np.abs(axes).argmax(axis=1)] > 0).all()


def test_first_coordinate_varies_most():
    spread = PrincipalPlane(make_features()).xy.std(axis=0)
    assert spread[0] > spread[1] > 0


def test_one_dimension_lies_on_a_line():
    X = np.array([[1.0], [4.0], [-2.0]], np.float32)
    np.testing.assert_allclose(PrincipalPlane(X).xy, [[0, 0], [3, 0], [-3, 0]])


def test_more_dimensions_than_samples():
    xy = PrincipalPlane(make_features(n=3, d=40)).xy
    assert np.isfinite(xy).all()
    np.testing.assert_allclose(xy.mean(axis=0), 0, atol=1e-4)


def test_large_offsets_do_not_hide_the_plane():
    X = make_features().astype(np.float64)
    far = PrincipalPlane(X + 1e6).xy
    np.testing.assert_allclose(far, PrincipalPlane(X).xy, atol=1e-3)


def test_samples_are_placed_one_by_one_as_together():
    plane, others = PrincipalPlane(make_features()), make_features(n=5000, seed=1)
    single = np.concatenate([plane.place(row[None]) for row in others[::100]])
    assert plane.place(others)[::100].tobytes() == single.tobytes()
