"""Protocols: named, sourced, complete recipes for probes. One module, one source."""

from featbank.catalog import Catalog
from featbank.probes.protocols.protocol import ProtocolSpec

PROTOCOLS: Catalog[ProtocolSpec] = Catalog(__name__, kind="protocol", record=ProtocolSpec)

__all__ = ["PROTOCOLS", "ProtocolSpec"]
