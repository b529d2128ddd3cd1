"""What a probe is: a small supervised model on frozen features, with the grid it is chosen from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from featbank.image import Array

    Candidate = tuple[Mapping[str, Any], int]
    Dtype = Callable[[Mapping[str, Any], str, int], str]
    FitGrid = Callable[[Sequence[Candidate], Array, Array], Iterator["Classifier"]]


class Classifier(Protocol):
    """The scikit-learn contract that every probe keeps.

    ``fit`` takes (N, D) features and (N,) labels, or (N, K) 0 and 1 where a sample may bear
    several labels, K >= 2, and the probe's record says that it takes them. ``predict_proba``
    always gives (N, K): with columns in the order of ``classes_`` and rows that sum to 1, or one
    independent probability for each of the K labels. A label that all or none of the samples bear
    is no error: its probability is 1 or 0.
    """

    classes_: Array

    def fit(self, X: Array, y: Array) -> Classifier:
        """Fit on features (N, D) and labels (N,) or (N, K)."""

    def predict_proba(self, X: Array) -> Array:
        """Probabilities (N, K)."""


def _float64(params: Mapping[str, Any], device: str, dim: int) -> str:
    return "float64"


@dataclass(frozen=True, kw_only=True)
class ProbeSpec:
    """A catalog entry.

    Attributes:
        name: What users type after ``--clf``.
        summary: One line that tells it from its neighbours.
        build: Makes an unfitted classifier from parameters and a seed.
        defaults: Parameters of protocol ``featbank-<name>``.
        grid: Parameter values to choose from on validation, simplest first; a single empty
            mapping where nothing is swept.
        fit_grid: Fits many candidates, each whole parameters and a seed, on one (N, D) and its
            labels as one problem, and gives their classifiers in order; each predicts as if it
            were built and fitted alone. None fits them one by one.
        is_random: Whether the seed changes what is fitted.
        takes_several_labels: Whether it can be fitted where a sample may bear several labels;
            others are never given such labels.
        devices: Where it can compute: ``cpu``, and ``cuda`` too.
        dtype: Of the arithmetic that decides, as PyTorch names it, by whole parameters, device and
            number of features.
        agreement: Share of samples that the CPU and CUDA are expected to decide for alike, at
            least: 1 where both give equal probabilities.
        source: Where the defaults come from.
    """

    name: str
    summary: str
    build: Callable[[Mapping[str, Any], int], Classifier] = field(repr=False)
    defaults: Mapping[str, Any]
    grid: tuple[Mapping[str, Any], ...] = ({},)
    fit_grid: FitGrid | None = field(default=None, repr=False)
    is_random: bool = False
    takes_several_labels: bool = True
    devices: tuple[str, ...] = ("cpu",)
    dtype: Dtype = field(default=_float64, repr=False)
    agreement: float = 1.0
    source: str

    @property
    def protocol(self) -> str:
        """Name of the probe's own protocol."""
        return f"featbank-{self.name}"
