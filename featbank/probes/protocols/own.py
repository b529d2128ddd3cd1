"""Our own protocols: each probe's defaults and grid, the scored fit on train and validation."""

from __future__ import annotations

from featbank.probes import PROBES
from featbank.probes.protocols.protocol import ProtocolSpec

SPECS = tuple(
    ProtocolSpec(
        name=probe.protocol,
        summary=probe.summary,
        probe=probe.name,
        grid=probe.grid,
        source=probe.source,
    )
    for probe in PROBES.values()
)
