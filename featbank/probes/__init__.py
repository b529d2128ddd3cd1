"""Probes: small supervised models on frozen features. One module, one probe, one ``SPECS``."""

from featbank.catalog import Catalog
from featbank.probes.probe import Classifier, ProbeSpec

PROBES: Catalog[ProbeSpec] = Catalog(__name__, kind="probe", record=ProbeSpec)

__all__ = ["PROBES", "Classifier", "ProbeSpec"]
