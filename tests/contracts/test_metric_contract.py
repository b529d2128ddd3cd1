"""Every metric of the catalog is vectorised, defined where it can be, and quiet."""

import subprocess
import sys

import numpy as np
import pytest

from featbank.metrics import METRICS, Bins, Counts
from featbank.metrics.scoring.confusion import class_counts
from featbank.metrics.scoring.ranking import rank


@pytest.fixture(params=[name for name, spec in METRICS.items() if spec.takes == "counts"])
def spec(request):
    return METRICS[request.param]


@pytest.fixture(params=[name for name, spec in METRICS.items() if spec.takes == "ranking"])
def ranking(request):
    return METRICS[request.param]


def make_counts(times=1):
    """(2, 3, 4) counts of confusion matrices, some rows and columns of which are empty."""
    matrices = np.random.default_rng(0).integers(1, 9, size=(2, 3, 4, 4)).astype(np.float64)
    matrices[0, :, 1, :] = 0
    matrices[1, :, :, 2] = 0
    return class_counts(times * matrices)


def of_kind(kind):
    return pytest.fixture(
        params=[name for name, spec in METRICS.items() if spec.takes == kind],
    )(lambda request: METRICS[request.param])


binned, positioned, loss = (of_kind(kind) for kind in ("bins", "positions", "losses"))


def make_ranking():
    """30 decisions with ties; the lowest is a positive."""
    rng = np.random.default_rng(0)
    truth = np.append(rng.integers(0, 2, size=29), 1)
    return rank(truth, np.append(rng.integers(1, 9, size=29), 0))


def make_bins(times=1):
    """(2, 3, 5) bins, some empty."""
    rng = np.random.default_rng(0)
    count = rng.integers(0, 4, size=(2, 3, 5)) * 2.0
    edges = np.linspace(0.1, 0.9, 5)
    return Bins(count=times * count, confidence=times * count * edges, correct=times * count / 2)


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


def test_a_perfect_prediction_has_the_best_value(spec):
    values = spec.function(class_counts(np.diag([3.0, 1.0, 2.0])))
    counts = {"tp": [3, 1, 2], "tn": [3, 5, 4], "fp": 0, "fn": 0}
    if spec.bounds is None and spec.name not in counts:
        pytest.skip(f"{spec.name} says of no value that it is the best")
    best = None if spec.bounds is None else spec.bounds[0 if spec.less_is_better else 1]
    expected = counts.get(spec.name, best)
    np.testing.assert_array_equal(values, np.broadcast_to(expected, values.shape))


def test_averages_are_known():
    known = {"macro", "micro", "weighted", "samples"}
    assert all(set(spec.averages) <= known for spec in METRICS.values())


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_of_some_world(name):
    assert METRICS[name].single_label or METRICS[name].multilabel


def test_a_ranking_gives_one_value_a_resample(ranking):
    assert ranking.function(make_ranking(), np.ones((30, 4), np.uint8)).shape == (4,)


def test_resamples_of_a_ranking_stand_alone(ranking):
    times = np.random.default_rng(0).integers(0, 3, size=(30, 4)).astype(np.uint8)
    singles = [ranking.function(make_ranking(), times[:, [i]])[0] for i in range(4)]
    np.testing.assert_array_equal(ranking.function(make_ranking(), times), singles)


def test_a_ranking_does_not_change_when_every_sample_counts_twice(ranking):
    once, twice = (ranking.function(make_ranking(), np.full((30, 1), n, np.uint8)) for n in (1, 2))
    np.testing.assert_allclose(once, twice)


def test_a_ranking_without_positives_has_no_number(ranking):
    empty = rank(np.zeros(9), np.arange(9.0))
    assert np.isnan(ranking.function(empty, np.ones((9, 2), np.uint8))).all()


def test_bins_give_one_value(binned):
    assert binned.function(make_bins()).shape == (2, 3)


def test_bins_do_not_change_when_every_sample_counts_twice(binned):
    np.testing.assert_allclose(binned.function(make_bins(2)), binned.function(make_bins()))


def test_empty_bins_have_no_number(binned):
    assert np.isnan(binned.function(make_bins(0))).all()


def test_positions_give_one_value(positioned):
    counts = np.random.default_rng(0).integers(1, 9, size=(2, 3, 7)).astype(np.float64)
    values = positioned.function(counts)
    assert values.shape == (2, 3)
    assert ((values > 0) & (values < 1)).all()


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_loss_is_near_zero_where_all_is_certain_and_right(loss, exclusive):
    truth = np.eye(3, dtype=np.int8)
    np.testing.assert_allclose(loss.function(truth, truth.astype(float), exclusive), 0, atol=1e-6)
    assert (loss.function(truth, 1.0 - truth, exclusive) >= 1).all()
