"""The catalog of pretraining methods: one module each, read on first use."""

from featbank.catalog import Catalog
from featbank.methods.method import MethodSpec

METHODS: Catalog[MethodSpec] = Catalog("featbank.methods", kind="method", record=MethodSpec)
