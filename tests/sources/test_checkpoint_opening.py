from dataclasses import replace

from fake_dataset import radar

from featbank.bank.checkpoints import SEEN_IMAGES
from featbank.sources.checkpoint_opening import SEEN, SEEN_COLUMN, with_seen
from featbank.sources.digesting import with_digests
from featbank.sources.loaded_weights import Weights


def seen(dataset, **known):
    column = with_seen(dataset, Weights(config={}, state={}, origin="", seen=known)).samples.meta
    return [] if SEEN_COLUMN not in column else (column[SEEN_COLUMN] == SEEN).nonzero()[0].tolist()


def test_ids_are_compared_inside_one_dataset():
    assert seen(radar(), radar=frozenset({"chip-003"})) == [3]
    assert seen(radar(), other=frozenset({"chip-003"})) == []


def test_an_image_that_was_seen_is_known_under_any_name(tmp_path):
    dataset = replace(with_digests(radar(), tmp_path), name="renamed")
    images = frozenset({dataset.samples.digests[5]})
    assert seen(dataset, **{SEEN_IMAGES: images}) == [5]
    assert seen(radar(), **{SEEN_IMAGES: images}) == []
