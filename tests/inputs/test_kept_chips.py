"""Passes over the same rows: what memory gives is what the readers gave."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from fake_readers import CONTRACT, Counting
from hypothesis import given
from hypothesis import strategies as st

from featbank.inputs.kept_chips import KeptChips, fits
from featbank.inputs.reader_pool import PoolConfig
from featbank.inputs.reading import read_batch


@dataclass
class Noted:
    """Notes the rows that are read."""

    rows: list[int] = field(default_factory=list)

    def read(self, index):
        self.rows.append(index)
        return Counting().read(index)


def chips_of(reader, *, is_keeping=True, workers=0):
    config = PoolConfig(reader=reader, contract=CONTRACT, workers=workers, slot_bytes=4096)
    return KeptChips(config, is_keeping=is_keeping)


def copied(batch):
    """Everything a batch says; its arrays do not outlive the next one."""
    groups = [(g.rows.tolist(), {n: a.copy() for n, a in g.grids.items()}) for g in batch.groups]
    return groups, dict(batch.refused)


def plainly(batches):
    return [copied(read_batch(Counting(), rows, CONTRACT)) for rows in batches]


passes = st.lists(
    st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=6), max_size=5), max_size=4
)


@given(passes=passes)
def test_every_pass_gives_what_readers_give(passes):
    chips = chips_of(Counting())
    for batches in passes:
        found = [copied(batch) for batch in chips.read(batches)]
        np.testing.assert_equal(found, plainly(batches))


@pytest.mark.parametrize("is_keeping", [True, False])
def test_processes_give_the_same(is_keeping):
    chips = chips_of(Counting(), is_keeping=is_keeping, workers=2)
    batches = [list(range(start, start + 8)) for start in range(0, 48, 8)]
    try:
        for order in (batches, batches[::-1], batches):
            np.testing.assert_equal([copied(b) for b in chips.read(order)], plainly(order))
    finally:
        chips.close()


def test_a_chip_is_read_once_where_chips_are_kept():
    noted = Noted()
    chips = chips_of(noted)
    for order in ([[1, 2], [3, 6]], [[3, 1], [6, 2]]):
        list(chips.read(order))
    assert noted.rows == [1, 2, 3, 6]


def test_a_chip_is_read_in_every_pass_where_none_is_kept():
    noted = Noted()
    chips = chips_of(noted, is_keeping=False)
    for _ in range(2):
        list(chips.read([[1, 2]]))
    assert noted.rows == [1, 2, 1, 2]


def test_only_batches_with_a_new_chip_are_read_again():
    noted = Noted()
    chips = chips_of(noted)
    list(chips.read([[1, 2], [3]]))
    noted.rows.clear()
    list(chips.read([[2, 1], [3, 5]]))
    assert noted.rows == [3, 5]


def test_chips_fit_up_to_the_limit():
    assert fits(1 << 20, 1024, 1.0)
    assert not fits(1 << 20, 1025, 1.0)


def test_without_memory_none_is_kept():
    assert not fits(1, 1, 0.0)
