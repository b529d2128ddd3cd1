"""UMAP: a layout that keeps neighbours together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import UsageError
from featbank.projections.projection import Projected, ProjectionSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array
    from featbank.projections.projection import Progress

# umap-learn's documentation looks at 2 to 200; beyond this the graph of 100,000 samples no longer
# fits in memory.
_MOST_NEIGHBORS = 1000


def check(params: Mapping[str, Any]) -> None:
    """Refuse what the method has no meaning for.

    Raises:
        UsageError: A parameter is out of range.
    """
    neighbors, min_dist, epochs = (params[name] for name in ("neighbors", "min_dist", "epochs"))
    if not (isinstance(neighbors, int) and 2 <= neighbors <= _MOST_NEIGHBORS):
        _refuse("neighbors", neighbors, f"a whole number in [2, {_MOST_NEIGHBORS}]", "15")
    if not 0 <= min_dist <= 1:
        _refuse("min-dist", min_dist, "a number in [0, 1]", "0.1")
    if epochs is not None and not (isinstance(epochs, int) and epochs >= 1):
        _refuse("epochs", epochs, "a whole number of at least 1", "200, or leave it out")


def _refuse(option: str, found: object, expected: str, good: str) -> None:
    raise UsageError(f"--{option}", f"it is {found}", expected, f"Pass {good}.")


def fit(features: Array, params: Mapping[str, Any], seed: int, progress: Progress) -> Projected:
    """The layout of the graph of nearest neighbours by cosine of features (n, D)."""
    from featbank.projections._umap_layout import UmapLayout

    return UmapLayout(features, params, seed=seed, progress=progress)


SPECS = (
    ProjectionSpec(
        name="umap",
        summary="nearest neighbours by cosine stay together; distances far apart mean nothing",
        # As umap-learn: the sample itself is one of its neighbours; epochs of None are 500 for up
        # to 10,000 samples and 200 for more.
        defaults={"neighbors": 15, "min_dist": 0.1, "epochs": None},
        check=check,
        fit=fit,
        source="McInnes et al. 2018, arXiv:1802.03426; lmcinnes/umap, umap/umap_.py, UMAP",
    ),
)
