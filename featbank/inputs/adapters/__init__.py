"""Adapters: routes from a dataset's bands to what a network takes. One module, one adapter."""

from featbank.catalog import Catalog
from featbank.inputs.adapters.adapter import Adapted, AdapterSpec, Moments

ADAPTERS: Catalog[AdapterSpec] = Catalog(__name__, kind="adapter", record=AdapterSpec)

__all__ = ["ADAPTERS", "Adapted", "AdapterSpec", "Moments"]
