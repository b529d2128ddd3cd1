"""Projections: features to two dimensions. One module, one projection, one ``SPECS``."""

from featbank.catalog import Catalog
from featbank.projections.projection import Projected, ProjectionSpec

PROJECTIONS: Catalog[ProjectionSpec] = Catalog(__name__, kind="projection", record=ProjectionSpec)

__all__ = ["PROJECTIONS", "Projected", "ProjectionSpec"]
