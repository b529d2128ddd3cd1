"""How many chips a device is given at once: fewer, once it does not hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from featbank.errors import MemoryShortError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class AtOnce:
    """The most chips that a network is given together.

    Features do not depend on it beyond rounding, so shards keep their cuts and ids.

    Attributes:
        most: Chips; at first those of a batch.
        must_keep: Whether the bytes must be those of whole batches.
        tell: Takes a line where batches are halved.
    """

    most: int
    must_keep: bool = False
    tell: Callable[[str], None] = field(default=lambda _: None, repr=False)

    def __post_init__(self) -> None:
        self._asked = self.most

    def halve(self, held: int) -> None:
        """Give the device half of what it did not hold.

        Args:
            held: Chips of the batch that it did not hold.

        Raises:
            MemoryShortError: It was one chip, or the bytes must stay.
        """
        given = min(held, self.most)
        self._require(given)
        self.most = given // 2
        if torch.cuda.is_available():
            # What is kept for reuse lies in pieces of the larger batch's sizes.
            torch.cuda.empty_cache()
        self.tell(
            f"the device does not hold {given} chips at once: it is given {self.most} from here "
            "on, and features may differ in their last digits from those of a run with "
            f"--batch-size {self._asked}"
        )

    def _require(self, given: int) -> None:
        if given == 1:
            raise MemoryShortError(
                "memory of the GPU",
                "does not hold one chip in this network",
                "room for it",
                "Pass a smaller --image-size, or --device cpu.",
            )
        if self.must_keep:
            raise MemoryShortError(
                f"--batch-size {self._asked}",
                "is more chips than the GPU's memory holds, and --deterministic keeps it from "
                "taking fewer at once",
                "a batch that it holds",
                f"Pass --batch-size {given // 2}.",
            )
