"""Principal components: the plane on which the features vary most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.projections.projection import Projected, ProjectionSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array
    from featbank.projections.projection import Progress


def fit(features: Array, params: Mapping[str, Any], seed: int, progress: Progress) -> Projected:
    """The plane of features (n, D) as they are; nothing is random, so the seed is not used."""
    from featbank.projections._principal_plane import PrincipalPlane

    progress("components", 0, 1)
    plane = PrincipalPlane(features)
    progress("components", 1, 1)
    return plane


SPECS = (
    ProjectionSpec(
        name="pca",
        summary="the two directions of most variance; distances far apart can be read",
        defaults={},
        check=lambda params: None,
        fit=fit,
        source="Jolliffe 2002, Principal Component Analysis, chapter 1",
    ),
)
