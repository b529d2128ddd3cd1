"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fake_chips import write_chips
from hypothesis import settings
from shell import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

# Timings differ between machines and runs; claims about speed live in tests/benchmarks.
settings.register_profile("featbank", deadline=None, max_examples=25)
settings.load_profile("featbank")

SHARED_VARIABLE = "FEATBANK_SHARED"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Where tests run in several processes, those of one file share one.

    Fixtures of a file, and banks that several files read, are then made once.
    """
    names = getattr(item, "fixturenames", ())
    shared = [name for name in ("aid_bank", "landscape_bank") if name in names]
    group = shared[0] if shared else item.nodeid.split("::", maxsplit=1)[0]
    if "on_fake_gpu" in item.path.parts:
        group = "on_fake_gpu"  # they share one process of their own
    item.add_marker(pytest.mark.xdist_group(group))


# What tools of tests leave where they run; everything else there is the project's own.
_OF_TOOLS = {"__pycache__", "build"}


@pytest.fixture(autouse=True)
def _nothing_lands_here() -> Iterator[None]:
    """No test, and no command that a test runs, writes into the folder that tests run in."""
    here = Path.cwd()
    before = set(os.listdir(here))
    yield
    new = {name for name in os.listdir(here) if not name.startswith(".")} - before - _OF_TOOLS
    assert not new, f"written into the current folder: {', '.join(sorted(new))}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real imagery, weights and parity vectors that stand beside the checkout."""
    named = os.environ.get(SHARED_VARIABLE)
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if (folder / "golden").is_dir():
        return folder
    if named:
        pytest.fail(f"{SHARED_VARIABLE}={named} holds no test data")
    pytest.skip(f"no shared test data: set {SHARED_VARIABLE} or put it at ../shared")


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


@pytest.fixture(scope="session")
def landscape_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One bank for stores of the whole synthetic landscape: what one test embeds, others find."""
    return tmp_path_factory.mktemp("landscape")


@pytest.fixture(scope="session")
def aid_bank(tmp_path_factory: pytest.TempPathFactory, aid100: Path, tiny_weights: Path) -> Path:
    """The first real run from the shell: image statistics and the tiny ViT's last four blocks."""
    bank = tmp_path_factory.mktemp("aid") / "bank"
    shell(bank, "embed", "--model", "imagestats", "--dataset", aid100)
    vit = ("--model", "vit-tiny", "--weights", tiny_weights, "--normalise", "half")
    four = ("--layers", "-4,-3,-2,-1", "--features", "mean_raw")
    shell(bank, "embed", *vit, *four, "--dataset", aid100)
    return bank


@pytest.fixture
def chips(tmp_path: Path) -> Path:
    """A small folder dataset: 3 classes of 8 chips, 24 px RGB PNG."""
    return write_chips(tmp_path / "chips")
