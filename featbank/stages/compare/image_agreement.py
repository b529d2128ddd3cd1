"""Whether samples of one id are one image in all results: two folders may bear one name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.lookup.stores import standing_store
from featbank.store.schema import DIGEST, SAMPLE_ID
from featbank.store.text_columns import text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.bank import Bank
    from featbank.result import Result

BETWEEN_STORES = " + "


def of_one_image(bank: Bank, heads: Sequence[Result], ids: Sequence[str]) -> list[str]:
    """The ids that stand for the same bytes in all results of datasets of one name.

    Sensors that see one place are datasets of different names, and are compared by id. Stores that
    are gone, or older than digests, are taken at their word.

    Args:
        bank: Where the stores are looked for.
        heads: Headline row of each result.
        ids: Ids that all of them scored.
    """
    kept = list(ids)
    for name in {head.dataset for head in heads}:
        alike = {head.recipe: head for head in heads if head.dataset == name}
        if len(alike) < 2:
            continue
        known = [found for head in alike.values() if (found := _images(bank, head))]
        for images in known[1:]:
            kept = [sample for sample in kept if images.get(sample) == known[0].get(sample)]
    return kept


def scored_store(bank: Bank, head: Result) -> Path | None:
    """Where the store that a result scored stands; None where it is gone."""
    said = Path((head.test_store or head.store).split(BETWEEN_STORES)[0])
    is_joined = head.test_store is not None or BETWEEN_STORES in head.store
    return standing_store(bank, said, "" if is_joined else head.recipe)


def _images(bank: Bank, head: Result) -> dict[str, str]:
    """Digest by sample id, of the store that a result scored; empty where nobody knows."""
    path = scored_store(bank, head)
    if path is None:
        return {}
    digests, ids = (text_column(path, name) for name in (DIGEST, SAMPLE_ID))
    if digests is None or ids is None:
        return {}
    return dict(zip(ids.tolist(), digests.tolist(), strict=True))
