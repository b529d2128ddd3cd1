"""What an embed run did, and the line that says it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class EmbedReport:
    """What an embed run did.

    Attributes:
        store: Path of the finished store.
        n: Its rows.
        embedded: Rows that went through the network in this run.
        shards: Shards written in this run.
        copied: Rows that were copied from other stores, which hold the same images.
        refused: Reason by sample id, of this run's shards.
        n_missing: Rows of this run that miss pixels.
        seconds: Wall time of reading, computing and writing.
        waited_input_s: Part of it in which the device waited for pixels.
        waited_output_s: Part of it in which the device waited for the writer.
    """

    store: Path
    n: int
    embedded: int
    shards: int
    copied: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    n_missing: int = 0
    seconds: float = 0.0
    waited_input_s: float = 0.0
    waited_output_s: float = 0.0

    @property
    def rate(self) -> float:
        """Chips a second."""
        return self.embedded / self.seconds if self.seconds else 0.0

    def sentence(self) -> str:
        """What was done, in one line."""
        if not self.shards:
            made = f"{self.copied} rows copied" if self.copied else "already finished"
            return f"{self.store}: {made}, {self.n} rows."
        copied = f", {self.copied} copied" if self.copied else ""
        refused = f", {len(self.refused)} refused" if self.refused else ""
        refused += f", {self.n_missing} of them with missing pixels" if self.n_missing else ""
        return (
            f"{self.store}: {self.embedded} of {self.n} rows embedded{copied}{refused} in "
            f"{self.seconds:.1f} s ({self.rate:.0f} chips/s; the device waited "
            f"{self._share(self.waited_input_s)} of it for input, "
            f"{self._share(self.waited_output_s)} for output)."
        )

    def _share(self, seconds: float) -> str:
        return f"{100 * seconds / self.seconds:.0f} %"

    def as_row(self) -> dict[str, Any]:
        """The report as a plain mapping."""
        return {**asdict(self), "store": str(self.store), "rate": self.rate}
