"""Every metric of the catalog is vectorised, defined where it can be, and quiet."""

import subprocess
import sys

import numpy as np
import pytest

from featbank.metrics import METRICS, Counts, Curve
from featbank.metrics._confusion import class_counts


@pytest.fixture(params=[name for name, spec in METRICS.items() if not spec.ranking])
def spec(request):
    return METRICS[request.param]


@pytest.fixture(params=[name for name, spec in METRICS.items() if spec.ranking])
def ranking(request):
    return METRICS[request.param]


def make_counts(times=1):
    """(2, 3, 4) counts of confusion matrices, some rows and columns of which are empty."""
    matrices = np.random.default_rng(0).integers(1, 9, size=(2, 3, 4, 4)).astype(np.float64)
    matrices[0, :, 1, :] = 0
    matrices[1, :, :, 2] = 0
    return class_counts(times * matrices)


def make_curve(times=1):
    """(2, 3, 5) hits along five thresholds."""
    tp, fp = np.random.default_rng(0).integers(0, 4, size=(2, 2, 3, 5)).cumsum(axis=-1)
    return Curve(tp=times * (tp + 1.0), fp=times * fp.astype(np.float64))


def part(counts, *index):
    return Counts(**{name: getattr(counts, name)[index] for name in ("tp", "fp", "fn", "tn")})


def test_listing_the_catalog_imports_nothing_heavy():
    code = (
        "import sys; from featbank.metrics import METRICS; list(METRICS);"
        "assert not {'sklearn', 'scipy', 'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_shape_is_that_of_the_declaration(spec):
    expected = (2, 3, 4) if spec.per_class else (2, 3)
    assert spec.function(make_counts()).shape == expected


def test_a_stack_equals_its_members_one_by_one(spec):
    stack = make_counts()
    singles = [[spec.function(part(stack, i, j)) for j in range(3)] for i in range(2)]
    np.testing.assert_array_equal(spec.function(stack), singles)


def test_counts_are_left_alone(spec):
    counts, untouched = make_counts(), make_counts()
    spec.function(counts)
    for name in ("tp", "fp", "fn", "tn"):
        np.testing.assert_array_equal(getattr(counts, name), getattr(untouched, name))


def test_no_samples_give_no_number(spec):
    values = spec.function(class_counts(np.zeros((3, 3))))
    assert np.isnan(values).all() if spec.has_interval else not values.any()


def test_ratios_do_not_change_when_every_sample_counts_twice(spec):
    once, twice = spec.function(make_counts()), spec.function(make_counts(2))
    np.testing.assert_allclose(twice, once if spec.has_interval else 2 * once)


def test_a_perfect_prediction_scores_one(spec):
    values = spec.function(class_counts(np.diag([3.0, 1.0, 2.0])))
    special = {"tp": [3, 1, 2], "tn": [3, 5, 4], "fp": 0, "fn": 0, "hamming_loss": 0}
    expected = special.get(spec.name, 1)
    np.testing.assert_array_equal(values, np.broadcast_to(expected, values.shape))


def test_averages_are_macro_or_micro(spec):
    assert set(spec.averages) <= {"macro", "micro"}


def test_every_metric_is_of_some_world(spec):
    assert spec.single_label or spec.multilabel


def test_a_curve_gives_one_value(ranking):
    assert ranking.function(make_curve()).shape == (2, 3)


def test_a_stack_of_curves_equals_its_members(ranking):
    stack = make_curve()
    singles = [
        [ranking.function(Curve(tp=stack.tp[i, j], fp=stack.fp[i, j])) for j in range(3)]
        for i in range(2)
    ]
    np.testing.assert_allclose(ranking.function(stack), singles, rtol=1e-14)


def test_a_ranking_does_not_change_when_every_sample_counts_twice(ranking):
    np.testing.assert_allclose(ranking.function(make_curve(2)), ranking.function(make_curve()))


def test_a_curve_without_thresholds_has_no_number(ranking):
    empty = np.zeros((2, 0))
    assert np.isnan(ranking.function(Curve(tp=empty, fp=empty))).all()
