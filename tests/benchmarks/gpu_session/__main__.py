"""``python -m tests.benchmarks.gpu_session --out FOLDER [--device cpu]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from featbank.device import pick_device
from featbank.errors import UsageError
from tests.benchmarks.gpu_session import (
    errors,
    features,
    machine,
    parallel,
    probing,
    rates,
    training,
)
from tests.benchmarks.gpu_session.session import Session

# What matters most comes first: the time may run out.
PARTS = {
    "environment": machine.environment,
    "ceilings": machine.ceilings,
    "features": features.parity,
    "resumed store": features.resumed_store,
    "deterministic": features.deterministic,
    "end to end": rates.end_to_end,
    "bare": rates.bare,
    "methods": training.methods,
    "probes": probing.small,
    "replayed steps": probing.replays,
    "resumed training": training.resumed,
    "downstream": training.downstream,
    "named errors": errors.named,
    "switches": training.switches,
    "several devices": parallel.ddp_and_fsdp,
    "probes on many samples": probing.large,
}


def main() -> int:
    """Run every part that there is time for; 1 where a check failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.gpu_session",
        description="Check the GPU path and measure it: lines of PASS and FAIL, and a JSON file.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of gpu_session.json")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    asked = parser.parse_args()
    try:
        pick_device(asked.device)
    except UsageError as error:
        parser.error(str(error))
    if asked.device == "cpu":
        print("A rehearsal on the CPU, in tiny sizes: its speeds mean nothing.", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(device=asked.device, folder=Path(folder))
        for name, part in PARTS.items():
            if session.is_over:
                session.check(f"{name}: left out, the time is over", is_right=False)
                continue
            with session.part(name):
                part(session)
            session.write(asked.out)
    print(f"{session.write(asked.out)}: {len(session.checks)} lines, {session.failed} failed")
    return int(session.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
