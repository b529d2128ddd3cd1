"""A store that stands already and the images as they are called now: rows found by content."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.datasets.folder import WITHOUT_LABELS
from featbank.sources.duplicates import find_duplicates
from featbank.sources.selection import with_rows
from featbank.stages.embed.attributes import attributes
from featbank.stages.embed.row_matching import matched_rows
from featbank.store.relabel import is_labelled_so, kept_labels, relabel
from featbank.store.schema import DIGEST, SAMPLE_ID
from featbank.store.state import metadata
from featbank.store.text_columns import text_column

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.datasets import Dataset
    from featbank.samples import Samples
    from featbank.stages.embed.plan import EmbedPlan

# What a store must say of its images; the rest follows from it, or from the recipe.
_COMPARED = (
    "dataset",
    "dataset_names",
    "label_sets",
    "split_schemes",
    "scheme_aliases",
    "splits_from",
)
_KEPT = "the labels and splits of its images stay, since they come without any now"
# What it says of their names, places and labels.
_NAMING = (
    "dataset",
    "dataset_licence",
    "dataset_citation",
    "splits_from",
    "label_sets",
    "split_schemes",
    "scheme_aliases",
    "split_notes",
    "notes",
    "duplicates",
    "command",
)


def in_rows_of_store(plan: EmbedPlan) -> EmbedPlan:
    """The plan with its samples in the order of the rows of the store that stands already."""
    samples = plan.imagery.dataset.samples
    kept_digests, kept_ids = (text_column(plan.path, name) for name in (DIGEST, SAMPLE_ID))
    if kept_digests is None or samples.digests is None:
        return plan
    if kept_ids is None:
        # A kill while ids were written anew took them; content finds the rows all the same.
        kept_ids = np.full(len(kept_digests), "", dtype=object)
    if _are_equal(kept_digests, samples.digests) and _are_equal(kept_ids, samples.ids):
        return plan
    rows = matched_rows(samples.digests, samples.ids, kept_digests=kept_digests, kept_ids=kept_ids)
    if np.array_equal(rows, np.arange(len(rows))):
        return plan
    dataset = with_rows(plan.imagery.dataset, rows)
    return replace(plan, imagery=replace(plan.imagery, dataset=dataset))


def renamed(plan: EmbedPlan, tell: Callable[[str], None]) -> None:
    """Give the rows of a store the ids, labels, splits and places that its images have now.

    Images that are embedded to be predicted come without labels and change nothing.

    Args:
        plan: Its samples in the order of the store's rows.
        tell: Takes one line where something changed.
    """
    if plan.options.follow is not None:
        return
    told = metadata(plan.path)["attributes"]
    came_with_labels = bool(plan.imagery.dataset.samples.labels)
    plan = _with_labels(plan)
    samples = plan.imagery.dataset.samples
    new = _naming(plan, told)
    if is_labelled_so(plan.path, samples, {name: new[name] for name in _COMPARED}):
        return
    before = text_column(plan.path, SAMPLE_ID)
    relabel(plan.path, samples, new)
    said = _sentence(plan.path, before, samples, names=(told.get("dataset"), new["dataset"]))
    tell(said if came_with_labels or not samples.labels else f"{said}; {_KEPT}")


def _with_labels(plan: EmbedPlan) -> EmbedPlan:
    """The plan; images without any label keep those that the store has for their content."""
    dataset = plan.imagery.dataset
    if dataset.samples.labels:
        return plan
    labels, splits = kept_labels(plan.path)
    if not labels:
        return plan
    told = metadata(plan.path)["attributes"]
    aliases = dict(told.get("scheme_aliases", {}))
    samples = replace(
        dataset.samples,
        labels=labels,
        splits=splits,
        aliases=aliases,
        split_notes=dict(told.get("split_notes", {})),
    )
    notes = tuple(note for note in dataset.notes if note != WITHOUT_LABELS)
    known: Dataset = replace(dataset, samples=samples, notes=notes)
    # The images' own schemes went with their lack of labels.
    first = next(name for name in splits if name not in aliases)
    scheme = plan.imagery.scheme if plan.imagery.scheme in splits else first
    return replace(
        plan,
        imagery=replace(plan.imagery, dataset=known, scheme=scheme),
        duplicates=find_duplicates(samples),
    )


def _naming(plan: EmbedPlan, told: dict[str, Any]) -> dict[str, Any]:
    said = attributes(plan)
    former = [*told.get("dataset_names", []), told.get("dataset")]
    names = dict.fromkeys(name for name in (said["dataset"], *former) if name)
    return {**{name: said[name] for name in _NAMING}, "dataset_names": list(names)}


def _sentence(
    path: Path,
    before: NDArray[np.object_] | None,
    samples: Samples,
    *,
    names: tuple[Any, Any],
) -> str:
    moved = 0 if before is None else int((before != samples.ids.astype(object)).sum())
    parts = [f"its images are called '{names[1]}' now, not '{names[0]}'"] * (names[0] != names[1])
    if moved:
        parts.append(f"{moved:,} of {len(samples):,} rows have another id")
    what = "; ".join(parts) or "labels, splits or places of its rows changed"
    return f"{path.name}: {what}: written anew, nothing is embedded again"


def _are_equal(first: Any, second: Any) -> bool:  # noqa: ANN401 - columns of text
    return len(first) == len(second) and bool((first == second.astype(object)).all())
