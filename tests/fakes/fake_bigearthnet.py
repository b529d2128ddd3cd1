"""Copies of real BigEarthNet patches that a test may change, and patch folders without pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def copy_writable(source: Path, target: Path) -> Path:
    """A copy whose files and folders may be changed; the originals may be read-only."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def make_v2_folders(root: Path, *, s2: Iterable[str] = (), s1: Iterable[str] = ()) -> Path:
    """Empty patch folders in the layout of v2.0."""
    for name in s2:
        (root / "BigEarthNet-S2" / name.rsplit("_", 2)[0] / name).mkdir(parents=True)
    for name in s1:
        (root / "BigEarthNet-S1" / name.rsplit("_", 3)[0] / name).mkdir(parents=True)
    return root
