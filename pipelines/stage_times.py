"""How long each stage of a pipeline takes, told as it ends."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stage(title: str) -> Iterator[None]:
    """Run what stands inside, then print its title and its seconds.

    Args:
        title: What is done.
    """
    start = time.perf_counter()
    yield
    print(f"{title}: {time.perf_counter() - start:.1f} s", flush=True)
