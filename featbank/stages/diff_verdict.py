"""What a comparison of two stores comes to, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.stages.diff import FeatureDistance, StoreDiff

_NAMED = 3
# Numbers of two networks cannot be subtracted, whatever their width.
_NETWORK = ("model.name",)


def verdict(diff: StoreDiff) -> str:
    """One sentence: which samples, how far apart, and why.

    Args:
        diff: The comparison.
    """
    labels = "; labels or splits differ too" if any(map(_is_told, diff.labels)) else ""
    return f"{_extent(diff)}, {_how_far(diff)}: {_why(diff)}{labels}."


def _is_told(item: object) -> bool:
    # The version differs whenever the sample sets do; what it holds is compared by sample.
    return getattr(item, "field", "") != "labels_sha256"


def _extent(diff: StoreDiff) -> str:
    samples = diff.samples
    if samples.first_only or samples.second_only:
        return f"{samples.both:,} samples in both"
    return "Same samples"


def _how_far(diff: StoreDiff) -> str:
    if all(item.is_equal for item in diff.features):
        return "equal to the last bit"
    is_one_network = not any(item.field in _NETWORK for item in diff.recipe)
    largest = [item.max_abs for item in diff.features if item.max_abs is not None]
    if is_one_network and len(largest) == len(diff.features):
        return f"features differ by at most {max(largest):.1e}"
    return _alike(diff.features[-1])


def _alike(item: FeatureDistance) -> str:
    dims = f"{item.dims[0]} and {item.dims[1]}" if item.dims[0] != item.dims[1] else item.dims[0]
    share = f"{item.overlap:.0%} of {item.neighbours} neighbours in common"
    return f"features of {dims} dimensions with linear CKA {item.cka:.2f} and {share}"


def _why(diff: StoreDiff) -> str:
    if diff.recipe:
        only = "only " if len(diff.recipe) == 1 else ""
        return f"the recipes differ {only}in {_listed([item.name for item in diff.recipe])}"
    if diff.environment:
        return f"one recipe, run with another {_listed([item.name for item in diff.environment])}"
    return "one recipe, run in one environment"


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
