"""McNemar's exact test, against the binomial test of SciPy and counts by hand."""

import numpy as np
import pytest
from scipy import stats

from featbank.metrics.scoring.mcnemar import mcnemar


def sides(both, first, second, neither):
    counts = [both, first, second, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False] * 2, counts)


@pytest.mark.parametrize("alone", [(9, 1), (1, 9), (0, 6), (7, 5), (40, 61)])
def test_it_equals_the_binomial_test(alone):
    expected = stats.binomtest(alone[0], sum(alone), 0.5).pvalue
    assert mcnemar(*sides(30, *alone, 4)) == pytest.approx(expected, rel=1e-12)


def test_six_to_nothing_is_one_in_thirty_two():
    assert mcnemar(*sides(10, 6, 0, 3)) == pytest.approx(2 / 64)


@pytest.mark.parametrize("alone", [(0, 0), (5, 5)])
def test_no_difference_has_a_p_value_of_one(alone):
    assert mcnemar(*sides(3, *alone, 2)) == 1
