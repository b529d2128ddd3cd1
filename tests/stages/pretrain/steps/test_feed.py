from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fake_readers import CONTRACT, Counting
from hypothesis import given
from hypothesis import strategies as st

from featbank.errors import RefusedError, UsageError
from featbank.stages.pretrain.scale.parallel import Place
from featbank.stages.pretrain.steps.feed import Batch, Feed, made_views, step_positions

CPU = torch.device("cpu")


def feed_of(rows, *, batch_size, steps=8, world=1, rank=0, workers=0, **options):
    dataset = SimpleNamespace(
        name="made", reader=Counting(), samples=SimpleNamespace(ids=np.arange(1000).astype(str))
    )
    plan = SimpleNamespace(
        rows=np.asarray(rows),
        options=SimpleNamespace(**{"seed": 3, "max_invalid": 0.5, "cache_gb": 0.0} | options),
        length=SimpleNamespace(
            steps=steps, steps_per_epoch=len(rows) // batch_size, batch_size=batch_size
        ),
        imagery=SimpleNamespace(dataset=dataset, contract=CONTRACT, workers=workers),
        look=SimpleNamespace(chip_bytes=72),
    )
    return Feed(plan, Place(rank=rank, world=world, device=CPU))


def good(n):
    """Rows that decode and are of one size."""
    return [row for row in range(n) if row % 7 != 6 and row % 5 != 4]


def shown(batch):
    """Rows that a batch holds: their chips have their number in the corner."""
    return [int(v) - 1 for group in batch.groups for v in group["g"][:, 0, 0, 0]]


def test_an_epoch_shows_every_chip_once_but_those_of_the_incomplete_batch():
    rows = good(50)
    feed = feed_of(rows, batch_size=4, steps=len(rows) // 4)
    seen = [row for batch in feed.batches(0) for row in shown(batch)]
    assert len(seen) == len(set(seen)) == len(rows) // 4 * 4
    assert set(seen) <= set(rows)


def test_two_epochs_have_different_orders():
    orders = [step_positions(s, seed=0, n=40, batch_size=40, steps_per_epoch=1) for s in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1])
    assert list(orders[0]) != list(orders[1])


@given(start=st.integers(0, 8), cache_gb=st.sampled_from([0.0, 1.0]))
def test_a_feed_that_starts_later_gives_what_the_whole_one_gives_then(start, cache_gb):
    rows = list(range(13))
    whole = [shown(batch) for batch in feed_of(rows, batch_size=4).batches(0)]
    later = feed_of(rows, batch_size=4, cache_gb=cache_gb)
    assert [shown(b) for b in later.batches(start)] == whole[start:]


def test_chips_that_fit_into_memory_are_kept():
    assert feed_of(good(9), batch_size=4, cache_gb=1e-6).is_keeping
    assert not feed_of(good(9), batch_size=4, cache_gb=0.0).is_keeping


def test_processes_share_the_memory_for_chips():
    # Seven chips of 72 bytes.
    room = {"batch_size": 2, "cache_gb": 7 * 72 / 2**30}
    assert feed_of(range(7), **room).is_keeping
    assert not feed_of(range(7), world=2, **room).is_keeping


def test_processes_share_a_batch_in_order():
    rows = good(30)
    whole = next(feed_of(rows, batch_size=6).batches(0))
    shares = [next(feed_of(rows, batch_size=6, world=3, rank=r).batches(0)) for r in range(3)]
    assert [row for share in shares for row in shown(share)] == shown(whole)
    assert [share.first for share in shares] == [0, 2, 4]


def test_a_refused_chip_gives_its_place_to_a_good_one():
    feed = feed_of([0, 1, 6, 2], batch_size=4, steps=1)
    batch = next(feed.batches(0))
    assert len(batch) == 4
    assert set(shown(batch)) == {0, 1, 2}
    assert feed.refused == {6: "chip6: is torn"}


def test_a_batch_of_refused_chips_alone_stops_the_run():
    feed = feed_of([6, 13], batch_size=2, max_invalid=1.0)
    with pytest.raises(RefusedError, match="the first is 6: .*; expected at most 2 refused chips "):
        next(feed.batches(0))


def test_a_chip_refused_in_two_epochs_counts_once():
    feed = feed_of([0, 1, 2, 6], batch_size=4, steps=5, max_invalid=0.25)
    assert len(list(feed.batches(0))) == 5
    assert len(feed.refused) == 1


@pytest.mark.parametrize(("rows", "batch_size", "world"), [(3, 4, 1), (40, 5, 2)])
def test_a_batch_that_cannot_be_made_is_refused(rows, batch_size, world):
    with pytest.raises(UsageError, match=f"--batch-size {batch_size}"):
        feed_of(list(range(rows)), batch_size=batch_size, world=world)


@given(size=st.integers(1, 9))
def test_micro_batches_hold_the_chips_of_the_batch_in_order(size):
    groups = ({"g": torch.arange(3)[:, None]}, {"g": torch.arange(3, 8)[:, None]})
    parts = list(Batch(groups, 10).parts(size))
    numbers = [int(v) for part in parts for group in part.groups for v in group["g"][:, 0]]
    assert numbers == list(range(8))
    assert [part.first for part in parts] == list(range(10, 18, size))
    assert all(len(part) == size for part in parts[:-1])


def test_views_of_chips_of_several_sizes_stand_crop_by_crop():
    def views(x, drawn):
        corner = x[:, :1, :1, :1]
        return {"global": torch.cat([corner, drawn + corner])}

    sizes = ((0, 1), 4), ((2, 3, 4), 6)
    groups = [
        {"g": torch.tensor(values).reshape(-1, 1, 1, 1).expand(-1, 1, side, side)}
        for values, side in sizes
    ]
    batch = Batch(tuple(groups), 4)
    made = made_views(batch, (100, 200), lambda g: g["g"].float(), views)
    assert made["global"].flatten().tolist() == [0, 1, 2, 3, 4, 100, 101, 202, 203, 204]
    assert [rows for rows, _ in batch.placed()] == [range(4, 6), range(6, 9)]
    assert batch.places == range(4, 9)


def test_reading_ahead_gives_the_same_chips():
    rows = list(range(30))
    here = [shown(b) for b in feed_of(rows, batch_size=5).batches(2)]
    feed = feed_of(rows, batch_size=5, workers=1)
    assert [shown(b) for b in feed.batches(2)] == here
    feed.close()
