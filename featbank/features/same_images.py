"""Whether two recipes or stores are of the same images, whatever their datasets are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.store.text_columns import image_digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.store.reader import Store


def same_images(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two embed recipes are of the same images.

    Recipes of before images were known by their content have a name beside a fingerprint of
    names and sizes, which no newer one can equal.
    """
    ours, theirs = (recipe.get("dataset", {}).get("fingerprint") for recipe in (first, second))
    return ours is not None and ours == theirs


def share_images(first: Store, second: Store) -> bool:
    """Whether two stores are of one dataset: the very same images, or some of them and one name.

    Two folders of one name are two datasets where no image of one is in the other. Stores that
    are older than digests are told apart by name alone.
    """
    is_named_alike = first.attributes["dataset"] == second.attributes["dataset"]
    ours, theirs = (image_digests(store.path) for store in (first, second))
    if ours is None or theirs is None:
        return bool(is_named_alike)
    if is_named_alike:
        return not set(ours.tolist()).isdisjoint(theirs.tolist())
    return same_images(*(store.attributes["recipe"] for store in (first, second)))
