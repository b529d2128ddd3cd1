"""The catalog of pretraining methods: one module each, read on first use."""

from featbank.catalog import Catalog
from featbank.stages.pretrain.methods.method import MethodSpec

METHODS: Catalog[MethodSpec] = Catalog(
    "featbank.stages.pretrain.methods", kind="method", record=MethodSpec
)
