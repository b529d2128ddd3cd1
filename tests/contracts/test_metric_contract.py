"""Every metric of the catalog is vectorised, defined where it can be, and quiet."""

import subprocess
import sys

import numpy as np
import pytest

from featbank.metrics import METRICS


@pytest.fixture(params=list(METRICS))
def spec(request):
    return METRICS[request.param]


def make_counts():
    """(2, 3, 4, 4) counts, some rows and columns empty."""
    counts = np.random.default_rng(0).integers(1, 9, size=(2, 3, 4, 4)).astype(np.float64)
    counts[0, :, 1, :] = 0
    counts[1, :, :, 2] = 0
    return counts


def test_listing_the_catalog_imports_nothing_heavy():
    code = (
        "import sys; from featbank.metrics import METRICS; list(METRICS);"
        "assert not {'sklearn', 'scipy', 'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_shape_is_that_of_the_declaration(spec):
    expected = (2, 3, 4) if spec.per_class else (2, 3)
    assert spec.function(make_counts()).shape == expected


def test_a_stack_equals_its_matrices_one_by_one(spec):
    stack = make_counts()
    singles = [[spec.function(matrix) for matrix in row] for row in stack]
    np.testing.assert_array_equal(spec.function(stack), singles)


def test_counts_are_left_alone(spec):
    counts = make_counts()
    spec.function(counts)
    np.testing.assert_array_equal(counts, make_counts())


def test_no_samples_give_no_number(spec):
    values = spec.function(np.zeros((3, 3)))
    assert np.isnan(values).all() if spec.has_interval else not values.any()


def test_ratios_do_not_change_when_every_sample_counts_twice(spec):
    once, twice = spec.function(make_counts()), spec.function(2 * make_counts())
    np.testing.assert_allclose(twice, once if spec.has_interval else 2 * once)


def test_a_perfect_prediction_scores_one(spec):
    values = spec.function(np.diag([3.0, 1.0, 2.0]))
    expected = {"tp": [3, 1, 2], "tn": [3, 5, 4], "fp": 0, "fn": 0}.get(spec.name, 1)
    np.testing.assert_array_equal(values, np.broadcast_to(expected, values.shape))


def test_average_is_macro_or_none(spec):
    assert spec.average in (None, "macro")
