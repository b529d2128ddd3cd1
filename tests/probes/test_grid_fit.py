"""Groups of classifiers: who is fitted with whom, when, and in what order they are given."""

from hypothesis import given
from hypothesis import strategies as st

from featbank.probes.fitting.grid_fit import fitted_in_order, grouped

ITEMS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)))


@given(ITEMS, st.integers(1, 20))
def test_every_position_stands_in_one_group(items, bound):
    groups = grouped([key for key, _ in items], [size for _, size in items], bound=bound)
    assert sorted(i for group in groups for i in group) == list(range(len(items)))


@given(ITEMS, st.integers(1, 20))
def test_groups_are_of_one_key_and_below_the_bound(items, bound):
    for group in grouped([key for key, _ in items], [size for _, size in items], bound=bound):
        assert len({items[i][0] for i in group}) == 1
        assert len(group) == 1 or sum(items[i][1] for i in group) <= bound


def test_without_a_bound_in_reach_there_is_one_group_a_key():
    assert grouped(list("abab"), [1] * 4, bound=9) == [[0, 2], [1, 3]]


def test_classifiers_are_given_in_order():
    assert list(fitted_in_order("wxyz", [[3, 0], [1, 2]], lambda group: None)) == list("wxyz")


def test_a_group_is_fitted_once_when_its_first_is_asked_for():
    fitted = []
    asked = fitted_in_order("wxyz", [[3, 0], [1, 2]], fitted.append)
    seen = [(next(asked), list(fitted)) for _ in range(4)]
    assert [len(done) for _, done in seen] == [1, 2, 2, 2]
    assert fitted == [["z", "w"], ["x", "y"]]
