"""What a comparison of two stores found, and what it comes to in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.recipes.difference import Difference
    from featbank.stages.diff.records import FeatureDistance, SampleOverlap

_NAMED = 3
_NO_LOG, _VERSION = "run", "labels_sha256"
# Below this mean cosine the two are not one feature with noise: the numbers of another network,
# or of other random weights, say nothing when they are subtracted (two seeds of random
# convolutions: cosine .01, linear CKA .996).
_ONE_SPACE = 0.9
# What follows from another difference, and is not worth naming beside it.
_STATISTICS = ("input.normalise.mean", "input.normalise.std", "input.normalise.source")
_IMPLIED: dict[str, tuple[str, ...]] = {
    "model.name": ("model.", "weights"),
    "model.weights_sha256": ("model.weights", "model.seed", "weights"),
    "dataset.name": ("dataset.", *_STATISTICS),
    "dataset.limit": ("dataset.samples", "dataset.fingerprint", "dataset.split", *_STATISTICS),
    "dataset.fingerprint": ("dataset.samples", *_STATISTICS),
    "input.bands": ("model.config.channels", *_STATISTICS),
    "input.normalise.method": _STATISTICS,
    "input.normalise.mean": _STATISTICS,
}


@dataclass(frozen=True, kw_only=True)
class StoreDiff:
    """Why two stores differ, and how far.

    Attributes:
        first: Path of the first store.
        second: Path of the second.
        recipe: What differs in how they were made.
        labels: What differs in labels and splits on the samples in both.
        environment: What differs in the runs that embedded them.
        samples: Which samples they hold.
        features: One entry a feature and layer in both.
    """

    first: str
    second: str
    recipe: tuple[Difference, ...]
    labels: tuple[Difference, ...]
    environment: tuple[Difference, ...]
    samples: SampleOverlap
    features: tuple[FeatureDistance, ...]

    @property
    def verdict(self) -> str:
        """One sentence."""
        return verdict(self)


def verdict(diff: StoreDiff) -> str:
    """One sentence: which samples, how far apart, and why.

    Args:
        diff: The comparison.
    """
    # The version differs whenever the sample sets do; what it holds is compared by sample.
    is_labelled_alike = all(item.field == _VERSION for item in diff.labels)
    labels = "" if is_labelled_alike else "; labels or splits differ too"
    return f"{_extent(diff)}, {_how_far(diff)}: {_why(diff)}{labels}."


def _extent(diff: StoreDiff) -> str:
    samples = diff.samples
    if samples.first_only or samples.second_only:
        return f"{samples.both:,} samples in both"
    return "Same samples"


def _how_far(diff: StoreDiff) -> str:
    if all(item.is_equal for item in diff.features):
        return "equal to the last bit"
    if all((item.mean_cosine or 0.0) >= _ONE_SPACE for item in diff.features):
        return (
            f"features differ by at most {max(item.max_abs or 0.0 for item in diff.features):.1e}"
        )
    return _alike(diff.features[-1])


def _alike(item: FeatureDistance) -> str:
    dims = f"{item.dims[0]} and {item.dims[1]}" if item.dims[0] != item.dims[1] else item.dims[0]
    share = f"{item.overlap:.0%} of the {item.neighbours} nearest neighbours in common"
    return f"features of {dims} dimensions with linear CKA {item.cka:.3f} and {share}"


def _why(diff: StoreDiff) -> str:
    causes = _causes(diff.recipe)
    if causes:
        return f"the recipes differ {'only ' * (len(causes) == 1)}in {_listed(causes)}"
    if any(item.field == _NO_LOG for item in diff.environment):
        return "one recipe, and no run log of one of them"
    if diff.environment:
        return f"one recipe, run with another {_listed([item.name for item in diff.environment])}"
    return "one recipe, run in one environment"


def _causes(found: Sequence[Difference]) -> list[str]:
    fields = {item.field for item in found}
    implied = {
        field
        for cause, prefixes in _IMPLIED.items()
        if cause in fields
        for field in fields - {cause}
        if field.startswith(prefixes)
    }
    return [item.name for item in found if item.field not in implied]


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
