"""Damaged inputs by the thousand: 0 traces, 0 silent rows, each refusal names its file."""

import sys
from pathlib import Path

# Made imagery and banks, which pytest finds by its own configuration.
_FAKES = str(Path(__file__).resolve().parents[1] / "fakes")
if _FAKES not in sys.path:
    sys.path.insert(0, _FAKES)
