"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

# Timings differ between machines and runs; claims about speed live in tests/benchmarks.
settings.register_profile("featbank", deadline=None, max_examples=25)
settings.load_profile("featbank")

SHARED_VARIABLE = "FEATBANK_SHARED"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real imagery, weights and parity vectors that stand beside the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get(SHARED_VARIABLE, default))
    if not (folder / "golden").is_dir():
        pytest.skip(f"no shared test data: set {SHARED_VARIABLE} or put it at ../shared")
    return folder


@pytest.fixture(scope="session")
def aid100(shared: Path) -> Path:
    """3,000 real aerial scenes, 30 classes, 150 px RGB JPEG."""
    return shared / "data" / "aid100"


@pytest.fixture(scope="session")
def tiny_weights(shared: Path) -> Path:
    """A trained ViT-Ti/16."""
    return shared / "weights" / "vit_tiny_patch16_224.safetensors"


@pytest.fixture(scope="session")
def eurosat100(shared: Path) -> Path:
    """100 real Sentinel-2 chips of 13 bands, 10 classes."""
    return shared / "data" / "eurosat100" / "EuroSATallBands"


def write_chips(root: Path, *, classes: int = 3, chips: int = 8, side_px: int = 24) -> Path:
    """A folder of class folders of PNG chips whose class shows in their colour."""
    rng = np.random.default_rng(0)
    for label in range(classes):
        folder = root / f"class{label}"
        folder.mkdir(parents=True)
        for number in range(chips):
            pixels = rng.integers(0, 120, (side_px, side_px, 3), dtype=np.uint8)
            pixels[..., label % 3] += 100
            Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return root


@pytest.fixture
def chips(tmp_path: Path) -> Path:
    """A small folder dataset: 3 classes of 8 chips, 24 px RGB PNG."""
    return write_chips(tmp_path / "chips")
