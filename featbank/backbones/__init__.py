"""Backbones: frozen encoders. One module, one family; each declares ``SPECS``."""

from featbank.backbones.backbone import BackboneSpec, Encoder, Loaded, Provides, WeightsFile
from featbank.catalog import Catalog

BACKBONES: Catalog[BackboneSpec] = Catalog(__name__, kind="model", record=BackboneSpec)

__all__ = ["BACKBONES", "BackboneSpec", "Encoder", "Loaded", "Provides", "WeightsFile"]
