"""Which rows of another store a probe is tested on, and which it knows from its training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import StoreError, UsageError
from featbank.features.label_agreement import is_labelled
from featbank.features.same_images import share_images
from featbank.store.schema import PAIR_ID
from featbank.store.text_columns import image_digests

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.store.reader import Store

FITTED, TESTED, UNUSED = ("train", "val"), "test", "unlabelled"
TEST_SPLIT, EVERYTHING = "test", "all"


def wanted_rows(
    train: Store, test: Store, *, scheme: str, label_set: str, test_split: str
) -> NDArray[np.bool_]:
    """Rows of the test store that the user means.

    Args:
        train: The store that probes are fitted on.
        test: The store that they are scored on.
        scheme: Split scheme.
        label_set: Label set of the test store.
        test_split: ``test``: the scheme's test split; ``all``: every labelled sample that is not
            excluded.

    Returns:
        (N2,) whether the sample is wanted.

    Raises:
        StoreError: No test split of the scheme.
        UsageError: ``all`` of the dataset that the probe is fitted on, or another word.
    """
    if test_split == EVERYTHING:
        _require_other_dataset(train, test)
        return np.asarray((test.exclude == "") & is_labelled(test.labels(label_set)))
    if test_split != TEST_SPLIT:
        raise UsageError(
            "--test-split", f"it is '{test_split}'", "test or all", "Pass one of them."
        )
    rows = np.zeros(len(test), dtype=bool)
    if scheme in test.split_schemes:
        rows = np.asarray(test.split(scheme) == TESTED)
    if not rows.any():
        raise StoreError(
            str(test.path),
            f"it has no test split of a scheme '{scheme}'",
            "the scheme that probes are fitted on",
            _ways_out(test, scheme),
        )
    return rows


def _ways_out(test: Store, scheme: str) -> str:
    others = ", ".join(
        name
        for name in test.split_schemes
        if name not in (scheme, *test.scheme_aliases) and (test.split(name) == TESTED).any()
    )
    ways = [f"Choose another of {others} with --split-scheme"] if others else []
    ways.append(f"{'or test' if ways else 'Test'} on all of it with --test-split all.")
    return " ".join([*filter(None, [test.attributes.get("splits_from")]), ", ".join(ways)])


def known_rows(train: Store, test: Store, *, scheme: str) -> NDArray[np.bool_]:
    """(N2,) whether a sample of the test store is in train or validation of the other.

    An id in both stores is one sample whatever the datasets are called, since two sensors over one
    place are two datasets here: a sample left out is better than one known from training. So is
    an image of the same bytes in both, whatever its ids.
    """
    fitted = np.isin(train.split(scheme), FITTED)
    keys = {key for column in _keys(train) for key in column[fitted].tolist() if key}
    known = [[key in keys for key in column.tolist()] for column in _keys(test)]
    return np.asarray(np.any(known, axis=0))


def require_some(test: Store, *, known: int, lost: int, is_left: bool) -> None:
    """Raise where nothing is left to test on.

    Raises:
        StoreError: Says how many samples were left out, and why.
    """
    if not is_left:
        raise StoreError(
            str(test.path),
            f"no sample is left to test on ({known:,} are in train or validation, {lost:,} are of "
            "classes that train lacks)",
            "valid and labelled samples that train does not hold",
            "Name another store with --test-store.",
        )


def _keys(store: Store) -> list[NDArray[np.object_]]:
    pairs = [store.column(PAIR_ID)] if PAIR_ID in store.column_names else []
    digests = image_digests(store.path)
    return [store.ids, *pairs, *([] if digests is None else [digests])]


def _require_other_dataset(train: Store, test: Store) -> None:
    if share_images(train, test):
        raise UsageError(
            "--test-split all",
            f"both stores hold dataset '{test.attributes['dataset']}', whose own train samples are "
            "no test",
            "a test store of another dataset",
            "Leave --test-split out.",
        )
