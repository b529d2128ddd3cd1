"""Projections: features to two dimensions. One module, one projection."""
