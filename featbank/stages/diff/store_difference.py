"""Why two stores differ beside their recipes: labels, splits, and the runs that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank import runlog
from featbank.features.label_agreement import code_in_words, differing_labels
from featbank.recipes.difference import ABSENT, Difference, recipe_differences
from featbank.recipes.recipe import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from featbank.features.pairing import Pairing
    from featbank.store.reader import Store

_WORDS = {
    "instructions": "instruction set",
    "batch_size": "batch size",
    "compiled": "blocks compiled",
}


def made_differently(first: Store, second: Store) -> tuple[Difference, ...]:
    """Fields of the recipes that differ, and the weights' file names where only their hash is said.

    Where a file came from stands in no recipe, since its hash is what counts.
    """
    found = recipe_differences(first.attributes["recipe"], second.attributes["recipe"])
    names = [str(store.attributes.get("weights", "")) for store in (first, second)]
    is_told = any(item.field == "model.weights" for item in found)
    if names[0] == names[1] or is_told:
        return found
    told = Difference(field="weights", name="weights from", first=names[0], second=names[1])
    return (*found, told)


def labelled_differently(first: Store, second: Store, rows: Pairing) -> tuple[Difference, ...]:
    """Label sets and split schemes that differ on the samples in both, and their versions."""
    versions = [str(store.attributes.get("labels_sha256", "")) for store in (first, second)]
    found = [*_label_sets(first, second, rows), *_split_schemes(first, second, rows)]
    if versions[0] != versions[1]:
        words = [f"sha256 {short_id(version)}…" for version in versions]
        found.append(_told("labels_sha256", "version of labels and splits", words))
    return tuple(found)


def run_differently(first: Store, second: Store) -> tuple[Difference, ...]:
    """What differs between the environments that the shards were embedded in."""
    logs = [runlog.read(store.path) for store in (first, second)]
    if not all(logs):
        words = ["kept" if log else "missing" for log in logs]
        return (_told("run", "run log", words),) if any(logs) else ()
    found = []
    for name in runlog.ENVIRONMENT:
        values = [_values(log, name) for log in logs]
        if values[0] != values[1]:
            words = [", ".join(seen) for seen in values]
            found.append(_told(f"run.{name}", _WORDS.get(name, name), words))
    return tuple(found)


def _values(log: Sequence[dict[str, Any]], name: str) -> list[str]:
    said = [runlog.said(line, name) for line in log]
    return sorted({ABSENT if value is None else str(value) for value in said})


def _label_sets(first: Store, second: Store, rows: Pairing) -> Iterator[Difference]:
    yield from _held("label set", first.label_sets, second.label_sets)
    for name in (name for name in first.label_sets if name in second.label_sets):
        classes = first.classes(name), second.classes(name)
        if classes[0] != classes[1]:
            words = [f"{len(told)} classes: {', '.join(told[:4])}, …" for told in classes]
            yield _told(f"class_{name}", f"classes of '{name}'", words)
            continue
        codes = first.labels(name)[rows.first], second.labels(name)[rows.second]
        differs = differing_labels(*codes)
        if differs.any():
            row = int(differs.argmax())
            words = [code_in_words(column[row], classes[0]) for column in codes]
            yield _samples_differ(f"label_{name}", f"label set '{name}'", words, differs)


def _split_schemes(first: Store, second: Store, rows: Pairing) -> Iterator[Difference]:
    yield from _held("split scheme", first.split_schemes, second.split_schemes)
    for name in (name for name in first.split_schemes if name in second.split_schemes):
        splits = first.split(name)[rows.first], second.split(name)[rows.second]
        differs = np.asarray(splits[0] != splits[1])
        if differs.any():
            words = [str(column[int(differs.argmax())]) for column in splits]
            yield _samples_differ(f"split_{name}", f"split scheme '{name}'", words, differs)


def _held(what: str, ours: Sequence[str], theirs: Sequence[str]) -> Iterator[Difference]:
    for name in dict.fromkeys((*ours, *theirs)):
        if (name in ours) != (name in theirs):
            words = ["has it" if name in names else ABSENT for names in (ours, theirs)]
            yield _told(f"{what} {name}", f"{what} '{name}'", words)


def _samples_differ(
    field: str, name: str, words: Sequence[str], differs: NDArray[np.bool_]
) -> Difference:
    told = f"{name}, {int(differs.sum()):,} samples, such as"
    return _told(field, told, words)


def _told(field: str, name: str, words: Sequence[str]) -> Difference:
    return Difference(field=field, name=name, first=words[0], second=words[1])
