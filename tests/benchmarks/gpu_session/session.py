"""What a session keeps: checks with their figures, and the time that is left."""

from __future__ import annotations

import json
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A lease of ten minutes, less what a last part may take.
MOST_S = 540.0


@dataclass
class Session:
    """A run of all parts.

    Attributes:
        device: ``cuda`` or ``cpu``.
        folder: Where its banks and imagery stand while it runs.
        checks: Name, whether it passed, and figures, in order.
        began: When it started.
    """

    device: str
    folder: Path
    checks: list[dict[str, Any]] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)

    @property
    def is_tiny(self) -> bool:
        """Whether sizes are those that a CPU bears."""
        return self.device == "cpu"

    def sized(self, tiny: int, whole: int) -> int:
        """A size for this device."""
        return tiny if self.is_tiny else whole

    def check(self, name: str, is_right: bool, **figures: Any) -> None:
        """Keep and print one check."""
        self._keep(name, "PASS" if is_right else "FAIL", figures)

    def figure(self, name: str, **figures: Any) -> None:
        """Keep and print figures that nothing is asked of."""
        self._keep(name, "    ", figures)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """One part; an exception fails it, and the others go on."""
        started = time.perf_counter()
        try:
            yield
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            line = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            self.check(name, is_right=False, error=line, at=f"{where.filename}:{where.lineno}")
        self.figure(f"{name}: time", seconds=time.perf_counter() - started)

    @property
    def is_over(self) -> bool:
        """Whether there is no time for another part."""
        return time.perf_counter() - self.began > MOST_S

    @property
    def failed(self) -> int:
        """Checks that failed."""
        return sum(each["outcome"] == "FAIL" for each in self.checks)

    def write(self, out: Path) -> Path:
        """Everything as JSON."""
        out.mkdir(parents=True, exist_ok=True)
        path = out / "gpu_session.json"
        told = {"device": self.device, "failed": self.failed, "checks": self.checks}
        path.write_text(json.dumps(told, indent=1) + "\n")
        return path

    def _keep(self, name: str, outcome: str, figures: dict[str, Any]) -> None:
        rounded = {key: _rounded(value) for key, value in figures.items()}
        self.checks.append({"name": name, "outcome": outcome.strip(), **rounded})
        told = ", ".join(f"{key} {value}" for key, value in rounded.items())
        print(f"{outcome}  {name}: {told}", flush=True)


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
